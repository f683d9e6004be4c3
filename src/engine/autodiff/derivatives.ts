import {
  add,
  blockMatmul,
  byteMatmul,
  cast,
  columnByteMatmul,
  constant,
  cos,
  divide,
  equal,
  exp,
  expand,
  greater,
  matmul,
  multiply,
  negate,
  normalCdf,
  pad,
  reshape,
  rotate,
  scatterAdd,
  sin,
  slice,
  softmax,
  subtract,
  sum,
  transpose,
  where,
} from '../graph/build.ts';
import { addDimensions, multiplyDimensions, sameShape } from '../graph/dimension.ts';
import type { GraphNode, Value } from '../graph/graph.ts';
import type { Op, Operands } from '../graph/ops.ts';

/**
 * Takes a node and the gradients of its outputs, where undefined means zero. Returns one function per input,
 * which builds the input's gradient, or undefined if that gradient is zero. The caller sums each gradient over
 * the axes along which the input was broadcast.
 */
type Derivative<K extends Op> = (
  node: GraphNode<K>,
  gradients: readonly (Value | undefined)[],
) => Contribution[];
type Contribution = (() => Value) | undefined;

/** The derivative of every op; null if it has none. */
export const derivatives: { [K in Op]: Derivative<K> | null } = {
  input: null,
  weight: null,
  constant: null,
  iota: null,

  add: single(({ g }) => [() => g, () => g]),
  subtract: single(({ g }) => [() => g, () => negate(g)]),
  multiply: single(({ g, inputs: [a, b] }) => [() => multiply(g, b), () => multiply(g, a)]),
  divide: single(({ g, inputs: [, b], y }) => [() => divide(g, b), () => negate(divide(multiply(g, y), b))]),
  negate: single(({ g }) => [() => negate(g)]),
  exp: single(({ g, y }) => [() => multiply(g, y)]),
  log: single(({ g, inputs: [x] }) => [() => divide(g, x)]),
  sqrt: single(({ g, y }) => [() => divide(multiply(g, 0.5), y)]),
  cos: single(({ g, inputs: [x] }) => [() => negate(multiply(g, sin(x)))]),
  sin: single(({ g, inputs: [x] }) => [() => multiply(g, cos(x))]),
  tanh: single(({ g, y }) => [() => multiply(g, subtract(1, multiply(y, y)))]),
  // SiLU keeps x for its product x σ(x), so σ(x) is computed again.
  sigmoid: (node, [g]) => [
    g &&
      (() => {
        const [y] = node.graph.again(node);
        return multiply(g, multiply(y, subtract(1, y)));
      }),
  ],
  relu: single(({ g, y }) => [() => multiply(g, cast(greater(y, 0), 'float32'))]),
  // φ(x), the standard normal density.
  normalCdf: single(({ g, inputs: [x] }) => [
    () => multiply(g, multiply(exp(multiply(multiply(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))),
  ]),
  // Φ(x) + x φ(x), where φ is the standard normal density. If e^(x²/2) overflows, x φ(x) becomes 0, its limit.
  gelu: single(({ g, inputs: [x] }) => [
    () => {
      const scaled = multiply(x, Math.SQRT1_2);
      const density = multiply(divide(scaled, exp(multiply(scaled, scaled))), 1 / Math.sqrt(Math.PI));
      return multiply(g, add(normalCdf(x), density));
    },
  ]),
  stopGradient: () => [undefined],
  watch: single(({ g, inputs: [, , ...read], attributes: { of } }) => [
    () => g,
    () => of(g, read as readonly Value[] as Operands<Value>) as Value,
    ...read.map(() => undefined),
  ]),
  equal: null,
  greater: null,
  where: single(({ g, inputs: [condition] }) => {
    // A gradient that is the same for all elements is not expanded, if the condition has their shape.
    const isFull = g.node.op === 'expand' && sameShape(condition.shape, g.shape);
    const each = isFull ? g.node.inputs[0]! : g;
    return [undefined, () => where(condition, each, 0), () => where(condition, 0, each)];
  }),
  cast: null,

  // Y = s A B: dA = s dY Bᵀ, dB = s Aᵀ dY. The gradient of a transposed operand is transposed.
  matmul: single(({ g, inputs: [a, b], attributes: { transposeA: ta, transposeB: tb, scale } }) => {
    // Y = s A Aᵀ: dA = s (dY + dYᵀ) A. Gram matrices are small, so this sum costs less than a second product.
    if (a === b && ta !== tb) {
      const both = () => add(g, transpose(g, lastTwoSwapped(g.shape.length)));
      return [() => (ta ? matmul(a, both(), { scale }) : matmul(both(), a, { scale })), undefined];
    }
    return [
      () =>
        ta
          ? matmul(b, g, { transposeA: tb, transposeB: true, scale })
          : matmul(g, b, { transposeB: !tb, scale }),
      () =>
        tb
          ? matmul(g, a, { transposeA: true, transposeB: ta, scale })
          : matmul(a, g, { transposeA: !ta, scale }),
    ];
  }),
  blockMatmul: single(({ g, inputs: [, values, scales], attributes }) => [
    () => blockMatmul(g, values, scales, { ...attributes, backward: !attributes.backward }),
  ]),
  columnByteMatmul: single(({ g, inputs: [, values, scales], attributes }) => [
    () => columnByteMatmul(g, [values, scales], !attributes.transposed),
  ]),
  byteMatmul: single(({ g, inputs: [, values, scales, mirror, mirrorScales] }) => [
    () => byteMatmul(g, [mirror, mirrorScales], [values, scales]),
  ]),
  sum: single(({ g, inputs: [x], attributes: { axes } }) => [() => expand(keepAxes(g, x, axes), x.shape)]),
  // If several elements share the maximum, each gets the whole gradient.
  max: single(({ g, inputs: [x], y, attributes: { axes } }) => [
    () => multiply(keepAxes(g, x, axes), cast(equal(x, expand(keepAxes(y, x, axes), x.shape)), 'float32')),
  ]),
  softmax: single(({ g, y }) => [
    () => {
      const weighted = multiply(g, y);
      return subtract(weighted, multiply(y, sum(weighted, [y.shape.length - 1], true)));
    },
  ]),
  logSumExp: single(({ g, inputs: [x] }) => [() => multiply(g, softmax(x))]),
  layerNorm: layerNormDerivative,
  // With n = x / r and h = dy · gain: dx = (h - n · mean(h · n)) / r, dgain = Σ dy · n.
  rmsNorm: single(({ g, inputs: [x, gain], outputs: [, inverse] }) => {
    const last = x.shape.length - 1;
    const n = () => multiply(x, inverse!);
    return [
      () => {
        const h = multiply(g, gain);
        const projection = multiply(sum(multiply(h, n()), [last], true), 1 / (x.shape[last] as number));
        return multiply(subtract(h, multiply(n(), projection)), inverse!);
      },
      () => multiply(g, n()),
    ];
  }),
  // A rotation's transpose is the rotation by the negative angle. Angles follow from positions: they have no gradient.
  rotate: single(({ g, inputs: [, cosines, sines], attributes: { headSize } }) => [
    () => rotate(g, [cosines, negate(sines)], headSize),
    undefined,
    undefined,
  ]),

  reshape: single(({ g, inputs: [x] }) => [() => reshape(g, x.shape)]),
  transpose: single(({ g, attributes: { permutation } }) => [
    () =>
      transpose(
        g,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
  ]),
  expand: single(({ g }) => [() => g]),
  slice: single(({ g, inputs: [x], attributes: { axis, start, end } }) => [
    () => pad(g, axis, start, addDimensions(x.shape[axis]!, multiplyDimensions(end, -1))),
  ]),
  pad: single(({ g, inputs: [x], attributes: { axis, before } }) => [
    () => slice(g, axis, before, addDimensions(before, x.shape[axis]!)),
  ]),
  concat: single(({ g, inputs, attributes: { axis } }) => {
    let end = addDimensions(0, 0);
    return inputs.map(({ shape }) => {
      const start = end;
      end = addDimensions(start, shape[axis]!);
      const stop = end;
      return () => slice(g, axis, start, stop);
    });
  }),
  gather: single(({ g, inputs: [table, indices], attributes: { padding } }) => {
    const [rows, ...row] = table.shape;
    const count = indices.shape.reduce(multiplyDimensions, 1);
    const updates = () => {
      const all = reshape(g, [count, row.reduce(multiplyDimensions, 1)]);
      if (padding === undefined) return all;
      const isPadding = equal(reshape(indices, [count, 1]), constant(g.node.graph, [padding], [], 'int32'));
      return where(isPadding, 0, all);
    };
    return [() => reshape(scatterAdd(reshape(indices, [count]), updates(), rows!), table.shape)];
  }),
  scatterAdd: null,
  window: null,
  after: single(({ g }) => [() => g]),
};

/** Defines the derivative of an op with a single output. `y` is the output, and `g` its gradient. */
function single<K extends Op>(
  derivative: (at: GraphNode<K> & { y: Value; g: Value }) => Contribution[],
): Derivative<K> {
  return (node, [g]) => derivative({ ...node, y: node.outputs[0], g: g as Value });
}

/** Restores the reduced axes with size 1. */
function keepAxes(reduced: Value, x: Value, axes: readonly number[]): Value {
  return reshape(
    reduced,
    x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
}

function lastTwoSwapped(rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return [...axes.slice(0, -2), rank - 1, rank - 2];
}

/**
 * The derivative of a layer norm. With n = (x - mean) / deviation and h = dy · gain:
 * dx = (h - mean(h) - n · mean(h · n)) / deviation, dgain = Σ dy · n, dshift = Σ dy.
 */
function layerNormDerivative(
  node: GraphNode<'layerNorm'>,
  [g, gMean, gInverse]: readonly (Value | undefined)[],
): Contribution[] {
  if (!g || gMean || gInverse) throw new Error('layerNorm: only the normalized output is differentiable');
  const [x, gain] = node.inputs;
  const [, mean, inverse] = node.outputs;
  const last = x.shape.length - 1;
  const width = x.shape[last] as number;
  const normalized = () => multiply(subtract(x, mean!), inverse!);
  const average = (value: Value) => multiply(sum(value, [last], true), 1 / width);
  return [
    () => {
      const n = normalized();
      const h = multiply(g, gain);
      const projected = add(average(h), multiply(n, average(multiply(h, n))));
      return multiply(subtract(h, projected), inverse!);
    },
    () => multiply(g, normalized()),
    () => g,
  ];
}
