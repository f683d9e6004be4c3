import {
  BASE_BLOCK,
  type ByteColumns,
  fourBitValues,
  quantizeBlocks,
  quantizeColumns,
  quantizeTransposed,
} from '../../input/formats/quantize.ts';
import type { MadeTensor } from '../../input/formats/tensor-data.ts';
import {
  blockBase,
  byteBase,
  COLUMNS,
  columnByteBase,
  type FrozenBase,
  INTEGERS,
  MIRROR,
  NORMS,
  SCALES,
  SMOOTHING,
} from '../../models/nn/base/frozen-base.ts';
import type { NormOp } from '../../models/nn/network.ts';
import { viewBytes } from '../../support/arrays.ts';
import { UserError } from '../../support/user-error.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { BaseDtype } from './base-dtype.ts';

/**
 * The paths of a model's linear modules that can be stored as integers: their rows are a multiple of
 * `blockSize` long. Modules of the head are excluded, because they are trained or produce the logits. GPT-2's
 * modules are excluded, because their weights are stored transposed.
 */
export function quantizedPaths({ linears, head }: TaskModel, blockSize = 1): Set<string> {
  const heads = [...head.modules, ...(head.mayLack ?? [])];
  const isHead = (path: string) => heads.some((module) => path === module || path.startsWith(`${module}.`));
  const fits = linears.filter(
    ({ path, inFeatures, transposed }) => !transposed && inFeatures % blockSize === 0 && !isHead(path),
  );
  return new Set(fits.map(({ path }) => path));
}

/** The shape of a linear weight. */
export type MatrixShape = readonly [outputs: number, inputs: number];

/** A storage format for the linear weights of a base. */
export interface BaseFormat {
  base: FrozenBase;
  /** The part of the cache key that distinguishes this format from others. */
  key: object;
  /** Modules for which the format needs the magnitude of each input column. */
  measured: ReadonlySet<string>;
  /** The format over which they are measured, if the model's own weights may not fit in memory. */
  measuredOver?: BaseFormat;
  /**
   * The tensors that replace the weight [out, in] of the module `path`.
   *
   * @param read returns elements [start, end) of the weight
   * @param magnitudes the largest magnitude of each input column, if the module is `measured`
   */
  tensors(path: string, shape: MatrixShape, read: ReadElements, magnitudes?: Float32Array): MadeTensor[];
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
 * Decoders generate one token at a time, so most of that time is spent on reading weights. Their weights are
 * quantized in blocks of 8 or 4 bits, and graphs that generate also quantize activations in these blocks.
 * A second copy has the rounded weights in bytes, with a scale for each output: all other graphs of a decoder
 * read it, and their products are computed on bytes as those of encoders over `int8` are.
 *
 * Encoders over `int4` have blocks alone, and their activations stay float32.
 *
 * Activations are quantized row by row, so no text depends on others in its batch.
 */
export function baseFormat(model: TaskModel, dtype: Exclude<BaseDtype, 'float32'>): BaseFormat {
  const bits = dtype === 'int4' ? 4 : 8;
  if (model.definition.isDecoder) return twoCopies(model, bits);
  return bits === 4 ? blockFormat(model, bits) : byteFormat(model);
}

/**
 * Returns the format in which a model stores its weights as `dtype`.
 *
 * @throws UserError if no weight of the model can be stored as `dtype`
 */
export function assertedFormat(model: TaskModel, dtype: Exclude<BaseDtype, 'float32'>): BaseFormat {
  const format = baseFormat(model, dtype);
  if (format.base.paths.size > 0) return format;
  throw new UserError({
    where: 'base_dtype',
    fault: `${dtype} cannot hold any linear weight of this ${model.definition.modelType}`,
    hint: 'Use float32.',
  });
}

function byteFormat(model: TaskModel): BaseFormat {
  const paths = quantizedPaths(model);
  const smoothed = readNormalized(model, paths, ['layerNorm']);
  return {
    base: byteBase(paths, smoothed),
    measured: smoothed,
    key: { bytes: [...paths], smoothed: [...smoothed], norms: true },
    tensors(path, shape, read, magnitudes) {
      const name = `${path}.weight`;
      const [outputs, inputs] = shape;
      const row = (output: number) => read(output * inputs, (output + 1) * inputs);
      return [
        ...smoothedBytes(name, shape, read, smoothed.has(path) && { name, magnitudes }),
        ...byteMatrix(name + MIRROR, outputs, inputs, () => quantizeColumns(outputs, inputs, row)),
        rowNorms(name, outputs, row),
      ];
    },
  };
}

/**
 * A transposed weight in bytes, with a scale for each output. If it is smoothed, its rows are multiplied by what the
 * columns of its operand are divided by, and the factors of these columns are stored beside it.
 *
 * @param smoothing the weight's name and the magnitudes of its operand's columns, which are undefined if only sizes are
 * needed; then `make` is never called
 */
function smoothedBytes(
  name: string,
  [outputs, inputs]: MatrixShape,
  read: ReadElements,
  smoothing: false | { name: string; magnitudes: Float32Array | undefined },
): MadeTensor[] {
  const row = (output: number) => read(output * inputs, (output + 1) * inputs);
  if (!smoothing) return byteMatrix(name, inputs, outputs, () => quantizeTransposed(outputs, inputs, row));
  const divisors = smoothing.magnitudes?.map(smoothDivisor) as Float32Array;
  const smoothed = (output: number) => {
    const values = row(output).slice();
    for (let i = 0; i < inputs; i++) values[i]! *= divisors[i]!;
    return values;
  };
  const make = () => [viewBytes(divisors.map((divisor) => 1 / divisor))];
  return [
    ...byteMatrix(name, inputs, outputs, () => quantizeTransposed(outputs, inputs, smoothed)),
    { name: smoothing.name + SMOOTHING, dtype: 'F32', shape: [inputs], make },
  ];
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
    { name: name + SCALES, dtype: 'F32', shape: [columns], make: () => [viewBytes(scales)] },
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
            yield viewBytes(scales);
            scales = new Float32Array(0);
          },
        },
        rowNorms(name, outputs, (output) => read(output * inputs, (output + 1) * inputs)),
      ];
    },
  };
}

/** Weights in blocks for graphs that generate text, and as bytes for all others. */
function twoCopies(model: TaskModel, bits: 4 | 8): BaseFormat {
  const blocks = blockFormat(model, bits);
  const { paths, words } = blocks.base;
  const smoothed = readNormalized(model, paths, ['layerNorm', 'rmsNorm']);
  const bytes = columnByteBase(paths, smoothed);
  const product: FrozenBase['product'] = (path, x, outFeatures, generates) =>
    (generates ? blocks.base : bytes).product(path, x, outFeatures, generates);
  return {
    base: { ...blocks.base, product },
    measured: smoothed,
    measuredOver: blocks,
    key: { ...blocks.key, smoothed: [...smoothed] },
    tensors(path, shape, read, magnitudes) {
      const ofBlocks = blocks.tensors(path, shape, read);
      // Only graphs that generate text read the logits' matrix.
      if (path === words) return ofBlocks;
      const name = `${path}.weight`;
      // The rounding error of 8 bits is that of bytes. That of 4 bits is what an adapter can correct.
      const values: ReadElements = bits === 8 ? read : (start, end) => fourBitValues(read(start, end));
      return [
        ...ofBlocks,
        ...smoothedBytes(name + COLUMNS, shape, values, smoothed.has(path) && { name, magnitudes }),
      ];
    },
  };
}

/** The modules among `paths` that read what a norm returns. */
function readNormalized(model: TaskModel, paths: ReadonlySet<string>, norms: readonly NormOp[]): Set<string> {
  const read = model.linears.filter(({ path, norm }) => norm && norms.includes(norm) && paths.has(path));
  return new Set(read.map(({ path }) => path));
}

/** The L2 norm of each row of a weight before rounding. */
function rowNorms(name: string, rows: number, row: (index: number) => Float32Array): MadeTensor {
  // Callbacks for each element would take most of the time that a copy takes.
  const norm = (values: Float32Array) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
    return Math.sqrt(sum);
  };
  const make = () => [viewBytes(Float32Array.from({ length: rows }, (_, index) => norm(row(index))))];
  return { name: name + NORMS, dtype: 'F32', shape: [rows], make };
}
