import {
  addDimensions,
  type Dimension,
  dimensionSize,
  multiplyDimensions,
  sameDimension,
  sameShape,
} from './dimension.ts';
import { attributesText, type Op, type Operands, type Ops, type TensorType } from './ops.ts';

type Inference<K extends Op> = (inputs: Operands, attributes: Ops[K]) => TensorType[];

/** Infers the types of an op's outputs from the types of its inputs. */
export function inferTypes<K extends Op>(op: K, inputs: Operands, attributes: Ops[K]): readonly TensorType[] {
  try {
    return inference[op](inputs, attributes);
  } catch (error) {
    const operands = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(', ');
    throw new Error(`${op}(${operands}) ${attributesText(attributes)}: ${(error as Error).message}`);
  }
}

const inference: { [K in Op]: Inference<K> } = {
  input: isLeaf,
  weight: isLeaf,
  constant: isLeaf,
  iota: (_, { length }) => [{ dtype: 'int32', shape: [length] }],

  add: arithmetic,
  subtract: arithmetic,
  multiply: arithmetic,
  divide: arithmetic,
  negate: unary,
  stopGradient: unary,
  watch: ([y]) => [{ dtype: y.dtype, shape: y.shape }],
  exp: unary,
  log: unary,
  sqrt: unary,
  cos: unary,
  sin: unary,
  tanh: unary,
  sigmoid: unary,
  relu: unary,
  normalCdf: unary,
  gelu: unary,
  equal: comparison,
  greater: comparison,
  where: ([condition, a, b]) => {
    check(condition.dtype === 'bool', 'the condition must be bool');
    check(a.dtype === b.dtype, 'both branches must have one type');
    return [{ dtype: a.dtype, shape: broadcast(broadcast(condition.shape, a.shape), b.shape) }];
  },
  cast: ([x], { to }) => [{ dtype: to, shape: x.shape }],

  matmul: ([a, b], { transposeA, transposeB }) => {
    const rank = a.shape.length;
    check(a.dtype === 'float32' && b.dtype === 'float32', 'needs float32');
    check(rank >= 2 && rank === b.shape.length, 'both operands need the same rank of at least 2');
    const leading = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const [rows, inner] = matrix(a.shape, transposeA);
    const [other, columns] = matrix(b.shape, transposeB);
    check(sameDimension(inner, other), `inner sizes ${inner} and ${other} differ`);
    return [{ dtype: 'float32', shape: [...leading, rows, columns] }];
  },
  blockMatmul: ([x, values, scales], { bits, blockSize, inFeatures, outFeatures, backward }) => {
    const blocks = (inFeatures * outFeatures) / blockSize;
    const [from, to] = backward ? [outFeatures, inFeatures] : [inFeatures, outFeatures];
    check(x.dtype === 'float32' && x.shape.length === 2, 'needs a float32 matrix');
    check(x.shape[1] === from, `x must have ${from} columns`);
    check(inFeatures % blockSize === 0, 'a row must be whole blocks');
    check(values.dtype === 'uint8', 'values must be bytes');
    check(sameShape(values.shape, [blocks, (blockSize * bits) / 8]), 'one row of values a block');
    check(sameShape(scales.shape, [blocks]), 'one scale a block');
    return [{ dtype: 'float32', shape: [x.shape[0]!, to] }];
  },
  byteMatmul: ([x, values, scales, mirror, mirrorScales, smoothing]) => {
    const [inFeatures, outFeatures] = values.shape as [Dimension, Dimension];
    check(x.dtype === 'float32' && x.shape.length === 2, 'needs a float32 matrix');
    check(values.dtype === 'uint8' && mirror.dtype === 'uint8', 'values must be bytes');
    check(sameDimension(x.shape[1]!, inFeatures), `x must have ${inFeatures} columns`);
    check(
      sameShape(mirror.shape, [outFeatures, inFeatures]),
      `the mirror must be [${outFeatures},${inFeatures}]`,
    );
    check(sameShape(scales.shape, [outFeatures]), 'one scale a column');
    check(sameShape(mirrorScales.shape, [inFeatures]), 'one scale a column of the mirror');
    check(!smoothing || sameShape(smoothing.shape, [inFeatures]), `smoothing must be [${inFeatures}]`);
    return [{ dtype: 'float32', shape: [x.shape[0]!, outFeatures] }];
  },
  columnByteMatmul: ([x, values, scales], { transposed }) => {
    const [from, to] = (transposed ? values.shape.toReversed() : values.shape) as [Dimension, Dimension];
    check(x.dtype === 'float32' && x.shape.length === 2, 'needs a float32 matrix');
    check(values.dtype === 'uint8' && values.shape.length === 2, 'values must be a matrix of bytes');
    check(sameDimension(x.shape[1]!, from), `x must have ${from} columns`);
    check(sameShape(scales.shape, [values.shape[1]!]), 'one scale a column');
    return [{ dtype: 'float32', shape: [x.shape[0]!, to] }];
  },
  sum: reduction,
  max: reduction,
  softmax: unary,
  logSumExp: ([x]) => {
    check(x.dtype === 'float32', 'needs float32');
    return [{ dtype: 'float32', shape: x.shape.with(-1, 1) }];
  },
  layerNorm: ([x, gain, shift]) => {
    const width = x.shape.slice(-1);
    check(sameShape(gain.shape, width) && sameShape(shift.shape, width), `gain and shift must be [${width}]`);
    const perRow: TensorType = { dtype: 'float32', shape: [...x.shape.slice(0, -1), 1] };
    return [{ dtype: 'float32', shape: x.shape }, perRow, perRow];
  },
  rmsNorm: ([x, gain]) => {
    check(sameShape(gain.shape, x.shape.slice(-1)), `gain must be [${x.shape.slice(-1)}]`);
    return [
      { dtype: 'float32', shape: x.shape },
      { dtype: 'float32', shape: x.shape.with(-1, 1) },
    ];
  },
  rotate: ([rows, cosines, sines], { headSize }) => {
    const [tokens, half] = cosines.shape as [Dimension, Dimension];
    check(sameShape(sines.shape, [tokens, half]), 'cosines and sines must have the same shape');
    check(rows.shape.length === 2 && sameDimension(rows.shape[0]!, tokens), 'needs a row per token');
    check((rows.shape[1] as number) % headSize === 0, `rows must be whole heads of ${headSize}`);
    check(2 * (half as number) <= headSize, `only ${headSize} features can be rotated`);
    return [{ dtype: 'float32', shape: rows.shape }];
  },

  reshape: ([x], { shape }) => {
    check(sameDimension(dimensionSize(x.shape), dimensionSize(shape)), 'the number of elements changes');
    return [{ dtype: x.dtype, shape }];
  },
  transpose: ([x], { permutation }) => {
    check([...permutation].sort().join() === x.shape.map((_, axis) => axis).join(), 'not a permutation');
    return [{ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]!) }];
  },
  expand: ([x], { shape }) => {
    check(sameShape(broadcast(x.shape, shape), shape), 'does not broadcast');
    return [{ dtype: x.dtype, shape }];
  },
  slice: ([x], { axis, start, end }) => {
    const size = addDimensions(end, multiplyDimensions(start, -1));
    const left = addDimensions(x.shape[axis]!, multiplyDimensions(end, -1));
    check(![start, size, left].some((n) => typeof n === 'number' && n < 0), 'reaches beyond the axis');
    return [{ dtype: x.dtype, shape: x.shape.with(axis, size) }];
  },
  pad: ([x], { axis, before, after }) => [
    {
      dtype: x.dtype,
      shape: x.shape.with(axis, addDimensions(addDimensions(before, x.shape[axis]!), after)),
    },
  ],
  concat: (inputs, { axis }) => {
    const [first] = inputs;
    for (const { dtype, shape } of inputs) {
      check(dtype === first.dtype, 'types differ');
      check(sameShape(shape.with(axis, 0), first.shape.with(axis, 0)), `shapes differ beyond axis ${axis}`);
    }
    const size = inputs.map(({ shape }) => shape[axis]!).reduce(addDimensions, 0);
    return [{ dtype: first.dtype, shape: first.shape.with(axis, size) }];
  },
  gather: ([table, indices]) => {
    check(indices.dtype === 'int32', 'indices must be int32');
    return [{ dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] }];
  },
  scatterAdd: ([indices, updates], { rows }) => {
    check(indices.dtype === 'int32' && indices.shape.length === 1, 'indices must be an int32 vector');
    check(updates.dtype === 'float32' && updates.shape.length === 2, 'updates must be a float32 matrix');
    check(sameDimension(indices.shape[0]!, updates.shape[0]!), 'one index a row');
    return [{ dtype: 'float32', shape: [rows, updates.shape[1]!] }];
  },
  window: ([vector, start], { shape }) => {
    check(vector.shape.length === 1 && start.dtype === 'int32', 'needs a vector and an int32 start');
    return [{ dtype: vector.dtype, shape }];
  },

  after: ([x, gate]) => {
    // The engine knows a fixed shape in advance, and would not wait for the gate.
    check(
      gate.shape.some((size) => typeof size !== 'number'),
      'the gate needs a symbolic size',
    );
    return [{ dtype: x.dtype, shape: x.shape }];
  },
};

/** The shape that two operands broadcast to, as in NumPy. */
function broadcast(a: readonly Dimension[], b: readonly Dimension[]): Dimension[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    check(x === 1 || y === 1 || sameDimension(x, y), `[${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

function isLeaf(): TensorType[] {
  throw new Error('a leaf is added with Graph.leaf');
}

function unary([x]: Operands): TensorType[] {
  check(x.dtype === 'float32', 'needs float32');
  return [{ dtype: 'float32', shape: x.shape }];
}

function arithmetic([a, b]: Operands): TensorType[] {
  check(a.dtype === 'float32' && b.dtype === 'float32', 'needs float32');
  return [{ dtype: 'float32', shape: broadcast(a.shape, b.shape) }];
}

function comparison([a, b]: Operands): TensorType[] {
  check(a.dtype === b.dtype, 'types differ');
  return [{ dtype: 'bool', shape: broadcast(a.shape, b.shape) }];
}

function reduction([x]: Operands, { axes, keepDims }: Ops['sum']): TensorType[] {
  check(x.dtype === 'float32', 'needs float32');
  check(
    axes.every((axis) => axis >= 0 && axis < x.shape.length),
    'axis out of range',
  );
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return [{ dtype: 'float32', shape: keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)) }];
}

function matrix(shape: readonly Dimension[], transposed: boolean): [Dimension, Dimension] {
  const [rows, columns] = shape.slice(-2) as [Dimension, Dimension];
  return transposed ? [columns, rows] : [rows, columns];
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
