import type { Dimension } from './dimension.ts';

export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly Dimension[];
}

/** The operands of a node. An op reads only as many as `inferTypes` has found there. */
export type Operands<T = TensorType> = readonly [T, T, T, T, T, ...T[]];

/**
 * All ops and their attributes. The tables of shapes, gradients and lowering are `Record`s over these keys,
 * so the compiler reports what a new op lacks.
 */
export interface Ops {
  // Leaves
  input: { name: string };
  /** A frozen tensor: the checkpoint's tensor of this name, or the result of `make`. */
  weight: { name: string; make?: () => Float32Array };
  constant: { data: readonly number[] };
  /** The numbers 0, 1, 2, …, as int32 [length]. */
  iota: { length: Dimension };

  // Elementwise ops. Their operands broadcast as in NumPy.
  add: None;
  subtract: None;
  multiply: None;
  divide: None;
  negate: None;
  exp: None;
  log: None;
  sqrt: None;
  cos: None;
  sin: None;
  tanh: None;
  sigmoid: None;
  relu: None;
  /** The standard normal distribution function, (1 + erf(x / √2)) / 2. */
  normalCdf: None;
  /** x Φ(x), where Φ is `normalCdf` (Hendrycks and Gimpel, 2016). */
  gelu: None;
  equal: None;
  greater: None;
  /** condition ? a : b */
  where: None;
  cast: { to: DataType };
  /** Returns x itself, with gradient zero. */
  stopGradient: None;
  /**
   * (y, seen, ...read): returns y itself, which does not depend on `seen`. The gradient of `seen` is a
   * statistic of the backward pass. `of` computes it from the gradient of y; it gets and returns values of the graph.
   */
  watch: { of(gradient: TensorType, read: Operands): TensorType };

  // Contractions and reductions
  /** scale · op(A) op(B) over the last two axes; leading axes broadcast. */
  matmul: { transposeA: boolean; transposeB: boolean; scale: number };
  /**
   * x Wᵀ, or x W if `backward`, with a frozen matrix W [outFeatures, inFeatures] stored in blocks along its
   * rows. Operands: x, values [blocks, blockSize · bits / 8], scales [blocks].
   *
   * An element is its integer times the scale of its block. With 4 bits, a byte holds two elements, the first
   * in its lower half, and 8 represents zero. With 8 bits, 128 represents zero.
   *
   * If `rounded`, a backend may also round x to bytes, in the same blocks, each with its own scale. This
   * makes products of few rows several times as fast. Use it only for generation, because the rounding has no
   * derivative.
   */
  blockMatmul: {
    bits: 4 | 8;
    blockSize: number;
    inFeatures: number;
    outFeatures: number;
    backward: boolean;
    rounded: boolean;
  };
  /**
   * x W with a frozen matrix of signed bytes. Operands: x, values [inFeatures, outFeatures], scales
   * [outFeatures], mirror, mirrorScales [inFeatures]. Each column of `values` has a scale. The mirror is the
   * transposed matrix, rounded along its own columns, for the product with the gradient. x is also rounded to
   * bytes, with a scale per row.
   *
   * The optional sixth operand is smoothing [inFeatures]. The columns of x are multiplied by it before
   * rounding, and the rows of `values` were divided by it.
   *
   * The derivative treats rounding as the identity.
   */
  byteMatmul: None;
  /**
   * x W, or x Wᵀ if `transposed`, with a frozen matrix W of signed bytes. Operands: x, values [inFeatures,
   * outFeatures], scales [outFeatures]. Each column of `values` has a scale. x is also rounded to bytes, with a
   * scale per row; for x Wᵀ its columns are multiplied by `scales` first.
   *
   * It takes half the memory of `byteMatmul`, but x Wᵀ transposes the bytes every time.
   *
   * The derivative treats rounding as the identity.
   */
  columnByteMatmul: { transposed: boolean };
  sum: Reduction;
  max: Reduction;
  /** Softmax over the last axis. */
  softmax: None;
  /** log Σ exp over the last axis, which is kept with size 1. */
  logSumExp: None;
  /** (x, gain, shift): normalizes over the last axis. Outputs y, mean and 1 / standard deviation. */
  layerNorm: { epsilon: number };
  /** (x, gain) over the last axis; outputs x · gain / r and 1 / r, where r² is the mean of x² plus epsilon. */
  rmsNorm: { epsilon: number };
  /**
   * Rotates the heads in rows [tokens, heads · headSize]: (rows, cosines [tokens, half], sines [tokens, half]). In
   * each head, feature i < half is rotated with feature i + half; features from 2 · half on stay unchanged.
   */
  rotate: { headSize: number };

  // Layout
  reshape: { shape: readonly Dimension[] };
  transpose: { permutation: readonly number[] };
  expand: { shape: readonly Dimension[] };
  slice: { axis: number; start: Dimension; end: Dimension };
  /** Adds zeros before and after along one axis. */
  pad: { axis: number; before: Dimension; after: Dimension };
  concat: { axis: number };
  /**
   * Selects rows of a table by index: (table [n, ...], indices) -> [...indices, ...]. The row `padding` gets
   * no gradient, as with PyTorch's `padding_idx`.
   */
  gather: { padding?: number };
  /**
   * Adds rows into a table of `rows` zero rows, at the given indices: (indices [k], updates [k, width]) ->
   * [rows, width].
   */
  scatterAdd: { rows: Dimension };
  /** A contiguous part of a vector, reshaped: (vector, start) -> shape. The start is only known at run time. */
  window: { shape: readonly Dimension[] };

  // Order of computation
  /**
   * (x, gate): returns x itself, but computes it after the gate. The gate must have a symbolic size, because
   * the engine does not wait for values of fixed size.
   */
  after: None;
}

type None = Record<never, never>;
type Reduction = { axes: readonly number[]; keepDims: boolean };

export type Op = keyof Ops;
/** Element types. Only frozen tensors can have bytes. */
export type DataType = 'float32' | 'int32' | 'bool' | 'uint8';

/**
 * Whether engines have a kernel that multiplies with the blocks without unpacking them. The kernel is fast if
 * the blocks are packed for it.
 */
export function hasBlockKernel({ bits, backward, rounded }: Ops['blockMatmul']): boolean {
  return !backward && (bits === 4 || rounded);
}

/** Ops without operands, whose types are given. */
export const LEAVES: ReadonlySet<Op> = new Set(['input', 'weight', 'constant']);

/** Formats attributes as stable text. Symbolic sizes are written as polynomials. */
export function attributesText(attributes: object): string {
  return Object.entries(attributes)
    .filter(([, value]) => typeof value !== 'function')
    .map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value}]` : value}`)
    .join(' ');
}
