import { type Dimension, sameDimension, sameShape } from './dimension.ts';
import type { Graph, Value } from './graph.ts';
import type { DataType, Op, Operands, Ops } from './ops.ts';

/*
 * Functions that add nodes. A plain number becomes a constant of rank 0. Operations without effect add no
 * node: a reshape to the same shape, a product with 1, a sum with 0.
 */

/** A value, or a number that becomes a float32 constant. */
export type Operand = Value | number;

/** Declares an input of the graph, whose values each call of a session supplies. */
export function input(graph: Graph, name: string, dtype: DataType, shape: readonly Dimension[]): Value {
  return graph.leaf('input', { name }, { dtype, shape });
}

/** Adds a frozen tensor of the checkpoint. It is found by its Hugging Face name. */
export function weight(
  graph: Graph,
  name: string,
  shape: readonly number[],
  dtype: 'float32' | 'uint8' = 'float32',
): Value {
  return graph.leaf('weight', { name }, { dtype, shape });
}

/** Adds a frozen float32 tensor that is not in the checkpoint. `make` computes its elements when a session opens. */
export function frozen(
  graph: Graph,
  name: string,
  shape: readonly number[],
  make: () => Float32Array,
): Value {
  return graph.leaf('weight', { name, make }, { dtype: 'float32', shape });
}

/** Adds a small tensor that is stored in the graph, in row-major order. */
export function constant(
  graph: Graph,
  data: readonly number[],
  shape: readonly number[] = [data.length],
  dtype: DataType = 'float32',
): Value {
  return graph.leaf('constant', { data }, { dtype, shape });
}

/** The numbers 0, 1, 2, …, as int32 [length]. */
export function iota(graph: Graph, length: Dimension): Value {
  return graph.add('iota', [], { length })[0];
}

/** Returns a + b. Shapes broadcast as in NumPy, here and in the following ops. */
export function add(a: Operand, b: Operand): Value {
  if (b === 0) return a as Value;
  return binary('add', a, b);
}

/** Returns a - b. */
export function subtract(a: Operand, b: Operand): Value {
  return binary('subtract', a, b);
}

/** Returns the elementwise product a · b. */
export function multiply(a: Operand, b: Operand): Value {
  if (b === 1) return a as Value;
  return binary('multiply', a, b);
}

/** Returns a / b. */
export function divide(a: Operand, b: Operand): Value {
  return binary('divide', a, b);
}

/** Whether elements are equal: bool, with the shape of both after broadcasting. */
export function equal(a: Value, b: Value): Value {
  return apply('equal', [a, b], {});
}

/** Whether a > b: bool. */
export function greater(a: Operand, b: Operand): Value {
  return binary('greater', a, b);
}

/** Selects from a if the condition is true, else from b. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const { graph } = condition.node;
  return apply('where', [condition, lift(graph, a), lift(graph, b)], {});
}

/** Converts elements to another type. */
export function cast(x: Value, to: DataType): Value {
  return x.dtype === to ? x : apply('cast', [x], { to });
}

type Unary =
  | 'negate'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'cos'
  | 'sin'
  | 'tanh'
  | 'sigmoid'
  | 'relu'
  | 'normalCdf'
  | 'gelu'
  | 'stopGradient'
  | 'softmax'
  | 'logSumExp';

function unary(op: Unary): (x: Value) => Value {
  return (x) => apply(op, [x], {});
}

/** Returns -x. */
export const negate = unary('negate');
/** The exponential function. */
export const exp = unary('exp');
/** The natural logarithm. */
export const log = unary('log');
/** The square root. */
export const sqrt = unary('sqrt');
/** The cosine, of radians. */
export const cos = unary('cos');
/** The sine, of radians. */
export const sin = unary('sin');
/** The hyperbolic tangent. */
export const tanh = unary('tanh');
/** 1 / (1 + exp(-x)) */
export const sigmoid = unary('sigmoid');
/** max(x, 0) */
export const relu = unary('relu');
/** The standard normal distribution function. */
export const normalCdf = unary('normalCdf');
/** x Φ(x), where Φ is `normalCdf`. */
export const gelu = unary('gelu');
/** Returns x, but no gradient flows through it. */
export const stopGradient = unary('stopGradient');

/** Returns y itself. `of` computes the gradient of `seen`, from the gradient of y and the values `read`. */
export function watch(
  y: Value,
  seen: Value,
  read: readonly Value[],
  of: (gradient: Value, read: Operands<Value>) => Value,
): Value {
  return apply('watch', [y, seen, ...read], { of });
}

/** |x| */
export function absolute(x: Value): Value {
  return where(greater(x, 0), x, negate(x));
}

/** Softmax over the last axis. */
export const softmax = unary('softmax');
/** log Σ exp over the last axis, which is kept with size 1. */
export const logSumExp = unary('logSumExp');

/** Computes scale · op(a) op(b) over the last two axes. Both operands have the same rank; leading axes broadcast. */
export function matmul(a: Value, b: Value, options: Partial<Ops['matmul']> = {}): Value {
  return apply('matmul', [a, b], { transposeA: false, transposeB: false, scale: 1, ...options });
}

/** Computes x Wᵀ, or x W if `backward`, with a frozen matrix stored in blocks: see `blockMatmul` in the op set. */
export function blockMatmul(x: Value, values: Value, scales: Value, attributes: Ops['blockMatmul']): Value {
  return apply('blockMatmul', [x, values, scales], attributes);
}

/** A matrix of bytes and the scale of each column. */
export type ByteMatrix = readonly [values: Value, scales: Value];

/** Computes x W with a frozen matrix of bytes and its mirror: see `byteMatmul` in the op set. */
export function byteMatmul(x: Value, matrix: ByteMatrix, mirror: ByteMatrix, smoothing?: Value): Value {
  return apply('byteMatmul', [x, ...matrix, ...mirror, ...(smoothing ? [smoothing] : [])], {});
}

/** Computes x W, or x Wᵀ if `transposed`, with a frozen matrix of bytes: see `columnByteMatmul` in the op set. */
export function columnByteMatmul(x: Value, matrix: ByteMatrix, transposed = false): Value {
  return apply('columnByteMatmul', [x, ...matrix], { transposed });
}

/** Sums over axes. `keepDims` keeps them with size 1. */
export function sum(x: Value, axes: readonly number[], keepDims = false): Value {
  return axes.length === 0 ? x : apply('sum', [x], { axes, keepDims });
}

/** Maximum over axes. Every maximal element gets the whole gradient. */
export function max(x: Value, axes: readonly number[], keepDims = false): Value {
  return axes.length === 0 ? x : apply('max', [x], { axes, keepDims });
}

type LayerNorm = readonly [y: Value, mean: Value, inverse: Value];

/** Normalizes over the last axis. Returns [y, mean, 1 / standard deviation]. */
export function layerNorm(x: Value, gain: Value, shift: Value, epsilon: number): LayerNorm {
  return x.node.graph.add('layerNorm', [x, gain, shift], { epsilon }) as readonly Value[] as LayerNorm;
}

/** Divided by the root of the mean square over the last axis, times the gain. */
export function rmsNorm(x: Value, gain: Value, epsilon: number): Value {
  return x.node.graph.add('rmsNorm', [x, gain], { epsilon })[0];
}

/** Rows [tokens, heads · headSize] with rotated heads; cosines and sines [tokens, half]. See `Ops.rotate`. */
export function rotate(rows: Value, [cosines, sines]: readonly [Value, Value], headSize: number): Value {
  return apply('rotate', [rows, cosines, sines], { headSize });
}

/** The same elements, in row-major order, with another shape. */
export function reshape(x: Value, shape: readonly Dimension[]): Value {
  return sameShape(x.shape, shape) ? x : apply('reshape', [x], { shape });
}

/** Axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  const identity = permutation.every((axis, i) => axis === i);
  return identity ? x : apply('transpose', [x], { permutation });
}

/** Repeats axes of size 1 to a shape of the same rank. */
export function expand(x: Value, shape: readonly Dimension[]): Value {
  return sameShape(x.shape, shape) ? x : apply('expand', [x], { shape });
}

/** Elements `start` to `end` (exclusive) along an axis. */
export function slice(x: Value, axis: number, start: Dimension, end: Dimension): Value {
  return start === 0 && sameDimension(end, x.shape[axis]!) ? x : apply('slice', [x], { axis, start, end });
}

/** Adds zeros before and after along an axis. */
export function pad(x: Value, axis: number, before: Dimension, after: Dimension): Value {
  return before === 0 && after === 0 ? x : apply('pad', [x], { axis, before, after });
}

/** Joins values along an axis. Their other axes are equal. */
export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0]! : apply('concat', values, { axis });
}

/** Selects rows of a table. The row `padding`, if given, gets no gradient. */
export function gather(table: Value, indices: Value, padding?: number): Value {
  return apply('gather', [table, indices], padding === undefined ? {} : { padding });
}

/** Adds the rows `updates` [k, width] to a table of zeros at the indices [k]. Returns [rows, width]. */
export function scatterAdd(indices: Value, updates: Value, rows: Dimension): Value {
  return apply('scatterAdd', [indices, updates], { rows });
}

/** A contiguous part of a vector, reshaped. The start is known only at run time. */
export function window(vector: Value, start: Value, shape: readonly Dimension[]): Value {
  return apply('window', [vector, start], { shape });
}

/** Returns x itself, computed after the gate: see `after` in the op set. */
export function after(x: Value, gate: Value): Value {
  return apply('after', [x, gate], {});
}

function apply<K extends Op>(op: K, inputs: readonly Value[], attributes: Ops[K]): Value {
  return inputs[0]!.node.graph.add(op, inputs, attributes)[0];
}

function binary(op: Op, a: Operand, b: Operand): Value {
  const { graph } = (typeof a === 'number' ? (b as Value) : a).node;
  return apply(op, [lift(graph, a), lift(graph, b)], {});
}

function lift(graph: Graph, operand: Operand): Value {
  return typeof operand === 'number' ? constant(graph, [operand], []) : operand;
}
