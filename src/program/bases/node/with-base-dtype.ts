import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { contentDigest } from '../../../input/formats/node/content-digest.ts';
import { openSafetensors } from '../../../input/formats/node/safetensors-file.ts';
import type { SafetensorsFile } from '../../../input/formats/safetensors.ts';
import { inScratchFolder } from '../../../input/store/node/temporary-name.ts';
import { cacheFolder as programCache } from '../../../support/node/files.ts';
import { fileError, UserError } from '../../../support/user-error.ts';
import { nodeEngine } from '../../node/node-engine.ts';
import type { TaskModel } from '../../objectives/task-model.ts';
import type { LoadedModel } from '../../weight-memory.ts';
import type { BaseDtype } from '../base-dtype.ts';
import { assertedFormat, type BaseFormat } from '../base-format.ts';
import { inputMagnitudes } from '../input-magnitudes.ts';
import { onBase } from '../on-base.ts';
import { type OnWritten, writeBase } from './write-base.ts';

/** Increase it when the format of the files changes. */
const VERSION = 3;

/** A cache key for files derived from weight files. It changes with the content of the weight files and with `how`. */
function baseKey(files: readonly string[], how: object): string {
  const described = files.map((file) => [contentDigest(file)]);
  const text = JSON.stringify([VERSION, how, described.sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

export interface BaseOptions {
  /** The folder for the copy (default: the user's cache folder). */
  cacheFolder?: string;
  /** Called while a copy is made, which takes about as long as reading the checkpoint. */
  onWritten?: OnWritten;
}

const NAME = 'model.safetensors';
/** Name of the folder with a copy that only a measurement reads, before it gets a temporary name. */
const MEASURED = 'measured';
const ENGINE_DTYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16', U8: 'uint8' } as const;

/**
 * Returns the model with its frozen linear weights stored as integers of 8 or 4 bits. The quantized copy is
 * made once, cached and memory-mapped. Merging and new heads still read the original checkpoint.
 *
 * @param model is closed together with the result, or at once if the copy cannot be made
 * @throws UserError if no weight of the model can be stored as this type
 */
export async function withBaseDtype<Model extends TaskModel>(
  model: LoadedModel<Model>,
  dtype: BaseDtype,
  options: BaseOptions = {},
): Promise<LoadedModel<Model>> {
  if (dtype === 'float32') return model;
  try {
    return await onCopy(model, dtype, assertedFormat(model, dtype), options);
  } catch (error) {
    model.close();
    throw error;
  }
}

async function onCopy<Model extends TaskModel>(
  model: LoadedModel<Model>,
  dtype: Exclude<BaseDtype, 'float32'>,
  format: BaseFormat,
  { cacheFolder = programCache(), onWritten = () => {} }: BaseOptions,
): Promise<LoadedModel<Model>> {
  // A copy contains the weights of one model's head. Another head may need weights that this copy lacks, such
  // as BERT's pooler.
  const stored = storedPlaces(model);
  const files = [...new Set(stored.values())].map((file) => join(model.weightFolder, file));
  const how = { ...format.key, tensors: [...stored.keys()].sort() };
  const folder = join(cacheFolder, `${dtype}-${baseKey(files, how)}`);
  const path = join(folder, NAME);
  const write = async () => {
    await measure(model, dtype, format, cacheFolder, (magnitudes, measured) =>
      writeBase(path, model, { format, magnitudes, measured, onWritten, isIntact }),
    );
    return openSafetensors(path);
  };
  const copy = intactCopy(path) ?? (await write().catch(refuse));
  return {
    ...onBase(model, format.base),
    weightFolder: folder,
    packing: format.base.packing,
    locate(name) {
      if (!copy.has(name)) return model.locate(name);
      const { begin, end, dtype } = copy.info(name);
      return { file: NAME, begin, end, dtype: ENGINE_DTYPES[dtype as keyof typeof ENGINE_DTYPES] };
    },
    close() {
      copy.close();
      model.close();
    },
  };
}

/** The cache may be in a folder that cannot be written, as in a container, or on a disk without room. */
function refuse(error: unknown): never {
  const failed = fileError(error);
  throw failed ? new UserError(`${failed.message} Set ADALORA_CACHE to a writable folder with room.`) : error;
}

/**
 * Measures what a format needs and passes it to `write`, with the copy of the weights that was measured, if any. This
 * copy is removed afterwards.
 */
async function measure(
  model: LoadedModel,
  dtype: Exclude<BaseDtype, 'float32'>,
  { measured, measuredOver }: BaseFormat,
  cacheFolder: string,
  write: (magnitudes: Map<string, Float32Array>, copy?: SafetensorsFile) => void,
): Promise<void> {
  const over = (model: LoadedModel) => inputMagnitudes(model, nodeEngine(model, 'cpu'), measured);
  if (!measuredOver || measured.size === 0) return write(await over(model));
  await inScratchFolder(cacheFolder, MEASURED, async (folder) => {
    const stillOpen = { ...model, close() {} };
    const rounded = await onCopy(stillOpen, dtype, measuredOver, { cacheFolder: folder });
    const magnitudes = await over(rounded).finally(() => rounded.close());
    const copy = openSafetensors(join(rounded.weightFolder, NAME));
    try {
      write(magnitudes, copy);
    } finally {
      copy.close();
    }
  });
}

/** Undefined if missing or truncated; the caller rebuilds it. */
function intactCopy(path: string): SafetensorsFile | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return openSafetensors(path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function isIntact(path: string): boolean {
  const copy = intactCopy(path);
  copy?.close();
  return copy !== undefined;
}

/** The checkpoint files of a model's tensors, by tensor name. */
function storedPlaces({ parameters, buffers, locate }: LoadedModel): Map<string, string> {
  return new Map(
    [...parameters.keys(), ...buffers.keys()].flatMap((name) => {
      const place = locate(name);
      return 'data' in place ? [] : [[name, place.file] as const];
    }),
  );
}
