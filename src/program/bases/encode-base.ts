import type { WeightLocation } from '../../engine/onnx/weights.ts';
import { streamSafetensors } from '../../input/formats/encode-safetensors.ts';
import { elementCount } from '../../support/arrays.ts';
import type { Hash } from '../../support/sha256.ts';
import type { LoadedModel } from '../weight-memory.ts';
import type { BaseFormat, MadeTensor, MatrixShape } from './base-format.ts';

/** The last tensor of a copy: the SHA-256 of all bytes before it, as hexadecimal text. */
export const DIGEST = 'sha256';
export const DIGEST_BYTES = 64;

/** Elements per read. */
const CHUNK = 2 ** 20;

const STORED = { float32: 'F32', float16: 'F16', bfloat16: 'BF16', uint8: 'U8' } as const;

/** Called with the share of a base that is written, from 0 to 1. */
export type OnWritten = (share: number) => void;

/** The weights and inputs from which a base is made. */
export interface BaseSource {
  format: BaseFormat;
  /** The largest input magnitudes of the modules in `format.measured`. */
  magnitudes: ReadonlyMap<string, Float32Array>;
  /** Returns the bytes of a tensor in the model's checkpoint. */
  stored(place: WeightLocation): Iterable<Uint8Array>;
  /** Hashes the file's bytes before its last tensor, which is this hash. */
  hash: Hash;
  /** Returns the bytes of a tensor in the copy over which magnitudes were measured. They are not computed again. */
  measured(name: string): Iterable<Uint8Array> | undefined;
}

/**
 * Encodes a base in a storage format, as one safetensors file. Tensors that the format does not change are
 * copied. At most one tensor is in memory. Parameters that the checkpoint lacks are omitted.
 */
export function* encodeBase(
  model: LoadedModel,
  { format, magnitudes, stored, hash, measured }: BaseSource,
  onWritten: OnWritten,
): Generator<Uint8Array> {
  const tensors = [...model.parameters, ...model.buffers].flatMap(([name, shape]): MadeTensor[] => {
    const place = model.locate(name);
    if ('data' in place) return [];
    const read = (start: number, end: number) => model.readRange(name, start, end);
    const module = name.replace(/\.weight$/, '');
    const { paths, words } = format.base;
    const isRounded = paths.has(module) || words === module;
    const rounded = isRounded
      ? format.tensors(module, shape as MatrixShape, read, magnitudes.get(module))
      : [];
    if (paths.has(module)) return rounded;
    const whole: MadeTensor = place.axes
      ? { name, dtype: 'F32', shape, make: () => inChunks(elementCount(shape), read) }
      : {
          name,
          dtype: STORED[place.dtype],
          shape,
          make: () => stored(place),
        };
    return [whole, ...rounded];
  });
  let isHashed = false;
  const digest: MadeTensor = {
    name: DIGEST,
    dtype: 'U8',
    shape: [DIGEST_BYTES],
    make() {
      isHashed = true;
      return [new TextEncoder().encode(hash.digest('hex'))];
    },
  };
  const byName = new Map([...tensors, digest].map((tensor) => [tensor.name, tensor]));
  const all = [...tensors, digest].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  let written = 0;
  function* make(name: string) {
    const { shape, make } = byName.get(name) as MadeTensor;
    yield* (name === DIGEST ? undefined : measured(name)) ?? make();
    written += elementCount(shape);
    onWritten(written / all);
  }
  for (const chunk of streamSafetensors(byName, make, {}, true)) {
    if (!isHashed) hash.update(chunk);
    yield chunk;
  }
}

function* inChunks(count: number, read: (start: number, end: number) => Float32Array): Generator<Uint8Array> {
  for (let start = 0; start < count; start += CHUNK) {
    const { buffer, byteOffset, byteLength } = read(start, Math.min(count, start + CHUNK));
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}
