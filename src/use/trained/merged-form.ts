import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { streamSafetensors } from '../../../formats/encode-safetensors.ts';
import { f32ToBf16, f32ToF16 } from '../../../formats/float.ts';
import { assertNewFolder } from '../../../formats/node/assert-new-folder.ts';
import type { LoadedModel } from '../../../program/model-weights.ts';
import { atomicWrite } from '../../../store/node/atomic-write.ts';
import { elementCount } from '../../../support/element-count.ts';
import { assertOptions, type OptionTypes, oneOf } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ReadRange } from '../../../tuners/tuner.ts';
import { assertFiniteValues, finiteReader } from '../../finite-values.ts';
import { fittingReader } from '../../fitting-base.ts';
import { storedName, trainedConfig } from '../../full-model.ts';
import { sentenceFiles } from '../../sentence-files.ts';
import { SETFIT_CONFIG, setFitConfig } from '../../setfit.ts';
import { copyNotes } from './notes-file.ts';
import type { OpenedTuned } from './open-tuned.ts';
import { copySharedFiles, sharedFiles } from './shared-files.ts';

/** Element types of a written checkpoint, by their names in transformers. */
export const MERGED_DTYPES = ['float32', 'float16', 'bfloat16'] as const;
export type MergedDtype = (typeof MERGED_DTYPES)[number];

export interface MergeOptions {
  /** Default: each tensor keeps its type in the base model. */
  dtype?: MergedDtype | undefined;
}

const MERGE_OPTIONS: OptionTypes<MergeOptions> = { dtype: oneOf(...MERGED_DTYPES) };

/** Number of elements in memory at once: a megabyte, whatever the size of a tensor. */
const BLOCK = 2 ** 18;

/** float16 rounds this number and larger ones to infinity. */
const FLOAT16_OVERFLOW = 65520;

const STORED = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const;

/**
 * Writes the merged model as a checkpoint, as transformers' `save_pretrained` does, block by block.
 *
 * @throws UserError for a model without an adapter, an adapter that cannot be merged, a folder with files in it, and
 * for values that are not finite or that `dtype` cannot represent
 */
export function writeMerged(opened: OpenedTuned, output: string, options: MergeOptions = {}): void {
  const { model, baseFolder, folder, notes, adapter, tuner, values } = opened;
  const { dtype } = options;
  assertOptions('merge', options, MERGE_OPTIONS);
  if (!adapter) {
    const hint = 'Use it as it is.';
    throw new UserError({
      where: folder,
      fault: 'is a whole model, not an adapter',
      hint,
      code: 'unsupported',
    });
  }
  if (!tuner.merged) {
    throw new UserError({
      where: folder,
      fault: `is an adapter of kind ${adapter.kind.name}, which cannot be added to the weights of its base model${adapter.kind.unmergeable ? `: ${adapter.kind.unmergeable}` : ''}`,
      hint: 'Use it as it is: predict, eval and generate open it with its base model.',
      code: 'unsupported',
    });
  }
  assertFiniteValues(values, folder);
  assertNewFolder(output);
  sharedFiles(baseFolder);
  const read = tuner.merged(values, fittingReader(opened));
  writeWeights(join(output, 'model.safetensors'), model, read, dtype);
  copyNotes(folder, output, { merged: true });
  for (const [name, text] of sentenceFiles(model, notes?.data.max_length))
    atomicWrite(join(output, name), text);
  const setFit = setFitConfig(notes);
  if (setFit) atomicWrite(join(output, SETFIT_CONFIG), setFit);
  copySharedFiles(baseFolder, output);
  const text = readFileSync(join(baseFolder, 'config.json'), 'utf8');
  atomicWrite(join(output, 'config.json'), trainedConfig(text, model, notes, dtype));
}

function writeWeights(
  path: string,
  model: LoadedModel,
  read: ReadRange,
  dtype: MergedDtype | undefined,
): void {
  const dtypeOf = (name: string) => {
    const place = model.locate(name);
    return 'data' in place || place.dtype === 'uint8' ? undefined : place.dtype;
  };
  const buffers = [...model.buffers].filter(([name]) => dtypeOf(name) !== undefined);
  const tensors = [...model.parameters, ...buffers];
  // A parameter that the base lacks, such as the head, gets the type of the base's first tensor.
  const first = tensors.map(([name]) => dtypeOf(name)).find((dtype) => dtype !== undefined) ?? 'float32';
  const written = new Map(
    tensors.map(([name, shape]) => [name, { shape, dtype: dtype ?? dtypeOf(name) ?? first }]),
  );
  const names = new Map(tensors.map(([name]) => [storedName(model, name), name]));
  const stored = new Map(
    [...names].map(([inFile, name]) => {
      const { shape, dtype } = written.get(name)!;
      return [inFile, { shape, dtype: STORED[dtype] }];
    }),
  );
  const finite = finiteReader(read);
  function* blocks(inFile: string) {
    const name = names.get(inFile)!;
    const { shape, dtype } = written.get(name)!;
    // Buffers may contain -Infinity, in a mask.
    const readOf = model.buffers.has(name) ? read : finite;
    const length = elementCount(shape);
    for (let start = 0; start < length; start += BLOCK) {
      yield encoded(readOf(name, start, Math.min(length, start + BLOCK)), dtype, name);
    }
  }
  atomicWrite(path, streamSafetensors(stored, blocks, { format: 'pt' }));
}

function encoded(values: Float32Array, dtype: MergedDtype, name: string): Uint8Array {
  if (dtype === 'float32') return bytesOf(values);
  if (dtype === 'bfloat16') return bytesOf(f32ToBf16(values));
  const beyond = values.find((value) => Math.abs(value) >= FLOAT16_OVERFLOW);
  if (beyond === undefined) return bytesOf(f32ToF16(values));
  throw new UserError({
    where: name,
    fault: `has the value ${beyond}, beyond float16's limit of ${FLOAT16_OVERFLOW}`,
    hint: 'Merge with --dtype bfloat16 or float32.',
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
