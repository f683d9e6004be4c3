import { BASE_BLOCK, quantizeBlocks } from '../formats/quantize-blocks.ts';
import { type ByteColumns, quantizeColumns, quantizeTransposed } from '../formats/quantize-columns.ts';
import type { Dtype } from '../formats/tensor-data.ts';
import { blockBase } from '../nn/base/block-base.ts';
import { byteBase, MIRROR, SMOOTHING } from '../nn/base/byte-base.ts';
import { type FrozenBase, INTEGERS, NORMS, SCALES } from '../nn/base/frozen-base.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import { UserError } from '../support/user-error.ts';
import type { BaseDtype } from './base-dtype.ts';
import { quantizedPaths } from './quantized-paths.ts';

/** A tensor to write. `make` returns its bytes and is called in the order of the tensors. */
export interface MadeTensor {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  make(): Iterable<Uint8Array>;
}

/** A storage format for the linear weights of a base. */
export interface BaseFormat {
  base: FrozenBase;
  /** The part of the cache key that distinguishes this format from others. */
  key: object;
  /** Modules for which the format needs the magnitude of each input column. */
  measured: ReadonlySet<string>;
  /**
   * The tensors that replace the weight [out, in] of the module `path`.
   *
   * @param read returns elements [start, end) of the weight
   * @param magnitudes the largest magnitude of each input column, if the module is `measured`
   */
  tensors(
    path: string,
    shape: readonly number[],
    read: ReadElements,
    magnitudes?: Float32Array,
  ): MadeTensor[];
}

type ReadElements = (start: number, end: number) => Float32Array;

/** Assumed magnitude of a column that was zero in every input. */
const MIN_MAGNITUDE = 1e-3;
/** The byte that represents zero, because 8-bit kernels read unsigned bytes. */
const ZERO = 0x80;
/** Elements per read: a multiple of the block size. */
const CHUNK = 2 ** 20;

/**
 * Returns the format in which a model stores its weights as `dtype`.
 *
 * Encoders have activations of similar magnitudes. So `int8` quantizes their activations too, and products
 * are computed on bytes.
 *
 * Decoders have a few outlier channels (Dettmers et al., 2022), and generate one token at a time. So only
 * their weights are quantized, in blocks of 8 or 4 bits. Their activations are quantized only during
 * generation.
 *
 * @param byRow whether activations are always quantized row by row, so that no text depends on others in its
 * batch
 */
export function baseFormat(
  model: TaskModel,
  dtype: Exclude<BaseDtype, 'float32'>,
  byRow = false,
): BaseFormat {
  if (dtype === 'int8' && !model.definition.isDecoder) return byteFormat(model, byRow);
  return blockFormat(model, dtype === 'int4' ? 4 : 8);
}

/**
 * Returns the format in which a model stores its weights as `dtype`.
 *
 * @throws UserError if no weight of the model can be stored as `dtype`
 */
export function assertedFormat(
  model: TaskModel,
  dtype: Exclude<BaseDtype, 'float32'>,
  byRow?: boolean,
): BaseFormat {
  const format = baseFormat(model, dtype, byRow);
  if (format.base.paths.size > 0) return format;
  throw new UserError({
    where: 'base_dtype',
    fault: `${dtype} cannot hold any linear weight of this ${model.definition.modelType}`,
    hint: 'Use float32.',
  });
}

function byteFormat(model: TaskModel, byRow: boolean): BaseFormat {
  const paths = quantizedPaths(model);
  const read = model.linears.filter(({ path, normalised }) => normalised && paths.has(path));
  const normalised = new Set(read.map(({ path }) => path));
  return {
    base: byteBase(paths, normalised, byRow),
    measured: normalised,
    key: { bytes: [...paths], smoothed: [...normalised], norms: true },
    tensors(path, [outputs, inputs], read, magnitudes) {
      const name = `${path}.weight`;
      const row = (output: number) => read(output * inputs, (output + 1) * inputs);
      const mirror = byteMatrix(name + MIRROR, outputs, inputs, () => quantizeColumns(outputs, inputs, row));
      const norms = rowNorms(name, outputs, row);
      if (!normalised.has(path))
        return [
          ...byteMatrix(name, inputs, outputs, () => quantizeTransposed(outputs, inputs, row)),
          ...mirror,
          norms,
        ];
      // `magnitudes` is undefined if only sizes are needed; then `make` is never called.
      const divisors = magnitudes?.map(smoothDivisor) as Float32Array;
      const smoothed = (output: number) => row(output).map((value, i) => value * divisors[i]);
      const make = () => [bytesOf(divisors.map((divisor) => 1 / divisor))];
      return [
        ...byteMatrix(name, inputs, outputs, () => quantizeTransposed(outputs, inputs, smoothed)),
        ...mirror,
        { name: name + SMOOTHING, dtype: 'F32', shape: [inputs], make },
        norms,
      ];
    },
  };
}

/** SmoothQuant with α = 0.5: the square root of a column's magnitude is moved to the weights. */
function smoothDivisor(magnitude: number): number {
  return Math.sqrt(Math.max(magnitude, MIN_MAGNITUDE));
}

function byteMatrix(name: string, rows: number, columns: number, quantize: () => ByteColumns): MadeTensor[] {
  let scales: Float32Array;
  return [
    {
      name: name + INTEGERS,
      dtype: 'U8',
      shape: [rows, columns],
      *make() {
        const made = quantize();
        scales = made.scales;
        yield made.bytes;
      },
    },
    { name: name + SCALES, dtype: 'F32', shape: [columns], make: () => [bytesOf(scales)] },
  ];
}

/**
 * The matrix of the output logits is quantized too, because every generated token reads all of it. It always
 * has 8 bits, because with 4 bits similar tokens could no longer be told apart.
 */
function blockFormat(model: TaskModel, fewest: 4 | 8): BaseFormat {
  const paths = quantizedPaths(model, BASE_BLOCK);
  const width = model.parameters.get(`${model.words}.weight`)?.[1] ?? 1;
  const words = width % BASE_BLOCK === 0 ? model.words : undefined;
  const bitsOf = (path: string) => (path === words ? 8 : fewest);
  return {
    base: blockBase(paths, bitsOf, BASE_BLOCK, words),
    measured: new Set(),
    key: { bits: fewest, zero: ZERO, blockSize: BASE_BLOCK, paths: [...paths], words, norms: true },
    tensors(path, [outputs, inputs], read) {
      const bits = bitsOf(path);
      const name = `${path}.weight`;
      const count = outputs * inputs;
      let scales: Float32Array;
      return [
        {
          name: name + INTEGERS,
          dtype: 'U8',
          shape: [count / BASE_BLOCK, (BASE_BLOCK * bits) / 8],
          *make() {
            scales = new Float32Array(count / BASE_BLOCK);
            for (let start = 0; start < count; start += CHUNK) {
              const part = quantizeBlocks(read(start, Math.min(count, start + CHUNK)), bits, BASE_BLOCK);
              scales.set(part.scales, start / BASE_BLOCK);
              yield bits === 8 ? part.blocks.map((byte) => byte ^ ZERO) : part.blocks;
            }
          },
        },
        {
          name: name + SCALES,
          dtype: 'F32',
          shape: [count / BASE_BLOCK],
          *make() {
            yield bytesOf(scales);
            scales = new Float32Array(0);
          },
        },
        rowNorms(name, outputs, (output) => read(output * inputs, (output + 1) * inputs)),
      ];
    },
  };
}

/** The L2 norm of each row of a weight before rounding. */
function rowNorms(name: string, rows: number, row: (index: number) => Float32Array): MadeTensor {
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const make = () => [bytesOf(Float32Array.from({ length: rows }, (_, index) => norm(row(index))))];
  return { name: name + NORMS, dtype: 'F32', shape: [rows], make };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
