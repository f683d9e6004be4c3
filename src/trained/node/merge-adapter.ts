import { join } from 'node:path';
import { streamSafetensors } from '../../formats/encode-safetensors.ts';
import { f32ToBf16, f32ToF16 } from '../../formats/float.ts';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { elementCount } from '../../support/element-count.ts';
import { UserError } from '../../support/user-error.ts';
import { mergedReader } from '../../tuners/low-rank/merged-reader.ts';
import { copyAdapterNotes } from './adapter-notes.ts';
import { writeModelFiles } from './full-model.ts';
import { locateAdapter } from './locate-trained.ts';
import { type AdapterOnBase, openAnyAdapter } from './open-adapter.ts';

/** Element types of a written checkpoint, by the names of transformers. */
export const MERGED_DTYPES = ['float32', 'float16', 'bfloat16'] as const;
export type MergedDtype = (typeof MERGED_DTYPES)[number];

export interface MergeOptions {
  /** The base model, where it lies elsewhere than the adapter says. */
  model?: string;
  /** By default each tensor keeps the type it has in the base. */
  dtype?: MergedDtype;
}

/** Elements in memory at once: a megabyte, whatever the size of a tensor. */
const BLOCK = 2 ** 18;

/** From here on float16 rounds to infinity. */
const FLOAT16_OVERFLOW = 65520;

const STORED = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const;

/**
 * Writes the model that an adapter makes of its base as a checkpoint of its own, as transformers' `save_pretrained`
 * does, block by block.
 *
 * @param path a run's folder or an adapter's
 * @throws UserError for anything missing or damaged, and for values that `dtype` cannot hold
 */
export async function mergeAdapter(path: string, output: string, options: MergeOptions = {}): Promise<void> {
  const { folder, runModel } = locateAdapter(path);
  const opened = await openAnyAdapter(folder, options.model ?? runModel);
  const { model, baseFolder, notes } = opened;
  try {
    writeWeights(join(output, 'model.safetensors'), opened, options.dtype);
    copyAdapterNotes(folder, output);
    writeModelFiles(output, baseFolder, model, notes, options.dtype);
  } finally {
    model.close();
  }
}

function writeWeights(
  path: string,
  { model, ...adapter }: AdapterOnBase,
  dtype: MergedDtype | undefined,
): void {
  const own = (name: string) => {
    const place = model.locate(name);
    return 'data' in place || place.dtype === 'uint8' ? undefined : place.dtype;
  };
  const buffers = [...model.buffers].filter(([name]) => own(name) !== undefined);
  const tensors = [...model.parameters, ...buffers];
  // A parameter that the base lacks, such as the head, takes the type that the base begins with.
  const first = tensors.map(([name]) => own(name)).find((found) => found !== undefined) ?? 'float32';
  const written = new Map(
    tensors.map(([name, shape]) => [name, { shape, dtype: dtype ?? own(name) ?? first }]),
  );
  const stored = new Map(
    [...written].map(([name, { shape, dtype }]) => [name, { shape, dtype: STORED[dtype] }]),
  );
  const read = mergedReader(adapter, model.readRange);
  function* blocks(name: string) {
    const { shape, dtype } = written.get(name)!;
    const length = elementCount(shape);
    for (let start = 0; start < length; start += BLOCK) {
      yield encoded(read(name, start, Math.min(length, start + BLOCK)), dtype, name);
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
    expected: `values below ${FLOAT16_OVERFLOW}, which float16 can hold`,
    got: `${beyond}`,
    hint: 'Merge with --dtype bfloat16 or float32.',
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
