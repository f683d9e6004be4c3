import { gradients } from '../../src/engine/autodiff/gradients.ts';
import {
  add,
  blockMatmul,
  byteMatmul,
  columnByteMatmul,
  constant,
  layerNorm,
  logSumExp,
  matmul,
  max,
  multiply,
  rmsNorm,
  rotate,
  softmax,
  sum,
  tanh,
  transpose,
  weight,
} from '../../src/engine/graph/build.ts';
import type { Value } from '../../src/engine/graph/graph.ts';
import { apart, frozenBytes, frozenFloats, type OpCase, op, real } from '../support/check-op.ts';
import { type Table, total } from '../support/table.ts';

// biome-ignore-all format: one case a line.

const BOTH = [false, true];
const TRANSPOSES = BOTH.flatMap((transposeA) => BOTH.map((transposeB) => ({ transposeA, transposeB })));

/** All transposes of a [2, 3] x [3, 4] product, alone and with leading axes. */
const products = TRANSPOSES.flatMap(({ transposeA: ta, transposeB: tb }): OpCase[] => {
  const a = ta ? [3, 2] : [2, 3];
  const b = tb ? [4, 3] : [3, 4];
  const options = { transposeA: ta, transposeB: tb, scale: ta === tb ? 1 : 0.5 };
  const times = (a: Value, b: Value) => matmul(a, b, options);
  const dot = (a: Table, b: Table, i: number, j: number, ...lead: number[]) =>
    options.scale *
    total(3, (k) => a(...lead, ...(ta ? [k, i] : [i, k])) * b(...lead, ...(tb ? [j, k] : [k, j])));
  return [
    op([real(...a), real(...b)], times, [2, 4], (a, b) => (i, j) => dot(a, b, i, j)),
    op([real(2, ...a), real(2, ...b)], times, [2, 2, 4], (a, b) => (n, i, j) => dot(a, b, i, j, n)),
    op(
      [real('batch', 2, ...a), real('batch', 2, ...b)],
      times,
      [2, 2, 2, 4],
      (a, b) => (m, n, i, j) => dot(a, b, i, j, m, n),
    ),
  ];
});

/** Moves the first axis before the last. */
const turned = (x: Value) => transpose(x, x.shape.length === 3 ? [1, 0, 2] : [1, 2, 0, 3]);

/** The [2, 3] x [3, 4] product for the sums below. */
const dot = (a: Table, b: Table, i: number, j: number) => total(3, (k) => a(i, k) * b(k, j));
const A = real(2, 3);
const B = real(3, 4);

const mean = (n: number, f: (i: number) => number) => total(n, f) / n;
const EPSILON = 0.01;
const deviation = (n: number, f: (i: number) => number) =>
  Math.sqrt(mean(n, (i) => (f(i) - mean(n, f)) ** 2) + EPSILON);
const standard = (n: number, f: (i: number) => number, j: number) => (f(j) - mean(n, f)) / deviation(n, f);
const rootMeanSquare = (n: number, f: (i: number) => number) =>
  Math.sqrt(mean(n, (i) => f(i) ** 2) + EPSILON);
/** Element j of a head of `size` features. The first 2 · half are rotated. */
const rotated = (
  half: number,
  size: number,
  x: (j: number) => number,
  c: (j: number) => number,
  s: (j: number) => number,
  j: number,
) => {
  const i = j % size;
  if (i < half) return x(j) * c(i) - x(j + half) * s(i);
  return i < 2 * half ? x(j) * c(i - half) + x(j - half) * s(i - half) : x(j);
};
const rotating = (headSize: number) => (x: Value, c: Value, s: Value) => rotate(x, [c, s], headSize);
const normal = (output: number) => (x: Value, gain: Value, shift: Value) =>
  layerNorm(x, gain, shift, EPSILON)[output]!;

/** A product with a [4, 32] matrix in blocks of 16, and the matrix itself. */
const blockProducts = ([4, 8] as const).flatMap((bits): OpCase[] => {
  const sizes = { bits, blockSize: 16, inFeatures: 32, outFeatures: 4 };
  const bytes = frozenBytes(bits, 16 * bits);
  const scales = frozenFloats(bits, 8);
  const integer = (at: number) =>
    bits === 8 ? bytes[at]! - 128 : ((bytes[at >> 1]! >> (4 * (at % 2))) & 15) - 8;
  const w = (o: number, i: number) => integer(32 * o + i) * scales[(32 * o + i) >> 4]!;
  const product = (backward: boolean) => (x: Value) => {
    const { graph } = x.node;
    const values = weight(graph, `bytes ${bits} ${16 * bits}`, [8, 2 * bits], 'uint8');
    return blockMatmul(x, values, weight(graph, `floats ${bits} 8`, [8]), {
      ...sizes,
      backward,
      rounded: false,
    });
  };
  // Small operands: the 8-bit matrix has elements in the hundreds.
  const small = (y: Value) => multiply(y, 1 / 256);
  return [
    op(
      [real('batch', 32)],
      (x) => small(product(false)(x)),
      [2, 4],
      (x) => (m, o) => total(32, (i) => x(m, i) * w(o, i)) / 256,
    ),
    op(
      [real('batch', 4)],
      (x) => small(product(true)(x)),
      [2, 32],
      (x) => (m, i) => total(4, (o) => x(m, o) * w(o, i)) / 256,
    ),
  ];
});

/** A [4, 3] matrix of bytes or its mirror, which may differ in a test. */
const byteMatrix = (x: Value, seed: number, rows: number, columns: number) =>
  [
    weight(x.node.graph, `bytes ${seed} 12`, [rows, columns], 'uint8'),
    weight(x.node.graph, `floats ${seed} ${columns}`, [columns]),
  ] as const;
const byteElement = (seed: number, columns: number) => {
  const bytes = frozenBytes(seed, 12);
  const scales = frozenFloats(seed, columns);
  return (i: number, j: number) => ((bytes[columns * i + j]! << 24) >> 24) * scales[j]!;
};
/** `smoothed`: the seed of the factors of x's columns. */
const byteProduct = (smoothed?: number) => (x: Value) =>
  byteMatmul(
    multiply(x, 1 / 256),
    byteMatrix(x, 1, 4, 3),
    byteMatrix(x, 2, 3, 4),
    smoothed === undefined ? undefined : weight(x.node.graph, `floats ${smoothed} 4`, [4]),
  );
const [W, MIRRORED] = [byteElement(1, 3), byteElement(2, 4)];
const roundedRow = (n: number, row: (i: number) => number) => {
  const step = Math.max(...Array.from({ length: n }, (_, i) => Math.abs(row(i)))) / 127;
  return (i: number) => step * Math.round(row(i) / step);
};
const SMOOTHING = frozenFloats(3, 4);
const smoothDot = (x: Table, m: number, o: number) =>
  total(4, (i) => roundedRow(4, (k) => x(m, k) * SMOOTHING[k]!)(i) * W(i, o)) / 256;
const byteProducts = [
  op(
    [real('batch', 4)],
    byteProduct(),
    [2, 3],
    (x) => (m, o) => total(4, (i) => roundedRow(4, (k) => x(m, k))(i) * W(i, o)) / 256,
    [],
  ),
  op([real('batch', 4)], byteProduct(3), [2, 3], (x) => (m, o) => smoothDot(x, m, o), []),
  // The gradient is not smoothed.
  op(
    [real('batch', 4), real('batch', 3)],
    (x, g) => gradients(sum(multiply(byteProduct(3)(x), g), [0, 1]), [x])[0]!,
    [2, 4],
    (_, g) => (m, i) => total(3, (o) => roundedRow(3, (k) => g(m, k))(o) * MIRRORED(o, i)) / 256,
    [],
  ),
];

/** The gradient of the product is the transposed product, whose operand is scaled before it is rounded. */
const SCALES = frozenFloats(1, 3);
const columnBytes = (x: Value, transposed: boolean) =>
  columnByteMatmul(x, byteMatrix(x, 1, 4, 3), transposed);
const columnByteProducts = [
  op(
    [real('batch', 4)],
    (x) => columnBytes(multiply(x, 1 / 256), false),
    [2, 3],
    (x) => (m, o) => total(4, (i) => roundedRow(4, (k) => x(m, k))(i) * W(i, o)) / 256,
    [],
  ),
  op(
    [real('batch', 3)],
    (x) => columnBytes(multiply(x, 1 / 256), true),
    [2, 4],
    (x) => (m, i) =>
      total(3, (o) => roundedRow(3, (k) => x(m, k) * SCALES[k]!)(o) * (W(i, o) / SCALES[o]!)) / 256,
    [],
  ),
  op(
    [real('batch', 4), real('batch', 3)],
    (x, g) => gradients(sum(multiply(columnBytes(x, false), g), [0, 1]), [x])[0]!,
    [2, 4],
    (_, g) => (m, i) =>
      total(3, (o) => roundedRow(3, (k) => g(m, k) * SCALES[k]!)(o) * (W(i, o) / SCALES[o]!)),
    [],
  ),
];

/** Sums that become a Gemm's third operand, and sums that must not: the shape of the summand, and its element. */
const SUMMANDS: [shape: number[], at: (c: Table, i: number, j: number) => number][] = [
  [[4], (c, _, j) => c(j)],
  [[1, 4], (c, _, j) => c(0, j)],
  [[2, 1], (c, i) => c(i, 0)],
  [[2, 4], (c, i, j) => c(i, j)],
  [[1], (c) => c(0)],
  [[], (c) => c()],
];
const sums = SUMMANDS.flatMap(([shape, at]) =>
  BOTH.map((isFirst) =>
    op(
      [A, B, real(...shape)],
      (a, b, c) => (isFirst ? add(c, matmul(a, b)) : add(matmul(a, b), c)),
      [2, 4],
      (a, b, c) => (i, j) => dot(a, b, i, j) + at(c, i, j),
    ),
  ),
);

/** Cases of the products and reductions. */
export const contractions = {
  matmul: [
    ...products,
    op(
      [real('batch', 3), real(4, 3)],
      (a, b) => matmul(a, b, { transposeB: true }),
      [2, 4],
      (a, b) => (i, j) => total(3, (k) => a(i, k) * b(j, k)),
    ),
    op(
      [real('batch', 'sequence', 3)],
      (a) => matmul(a, a, { transposeB: true }),
      [2, 3, 3],
      (a) => (n, i, j) => total(3, (k) => a(n, i, k) * a(n, j, k)),
    ),
    op(
      [real(3, 3)],
      (a) => matmul(a, a),
      [3, 3],
      (a) => (i, j) => total(3, (k) => a(i, k) * a(k, j)),
    ),
    // Leading axes that broadcast, and operands with their rows first, as in attention.
    op(
      [real(2, 1, 2, 3), real(1, 2, 3, 4)],
      (a, b) => matmul(a, b),
      [2, 2, 2, 4],
      (a, b) => (m, n, i, j) => total(3, (k) => a(m, 0, i, k) * b(0, n, k, j)),
    ),
    op(
      [real('batch', 2, 3), real(1, 4, 3)],
      (a, b) => matmul(a, b, { transposeB: true }),
      [2, 2, 4],
      (a, b) => (n, i, j) => total(3, (k) => a(n, i, k) * b(0, j, k)),
    ),
    op(
      [real('sequence', 'batch', 2, 4), real(3, 1, 2, 4)],
      (a, b) => matmul(turned(a), turned(b), { transposeB: true, scale: 2 }),
      [2, 2, 3, 3],
      (a, b) => (m, n, i, j) => 2 * total(4, (k) => a(i, m, n, k) * b(j, 0, n, k)),
    ),
    op(
      [real(3, 2, 4), real(2, 3, 5)],
      (a, b) => matmul(turned(a), b, { transposeA: true }),
      [2, 4, 5],
      (a, b) => (n, i, j) => total(3, (k) => a(k, n, i) * b(n, k, j)),
    ),
    ...sums,
    op(
      [A, B],
      (a, b) => add(matmul(a, b), 3),
      [2, 4],
      (a, b) => (i, j) => dot(a, b, i, j) + 3,
    ),
    op(
      [A, B, real(2, 4)],
      (a, b, c) => add(matmul(a, b, { scale: 2 }), c),
      [2, 4],
      (a, b, c) => (i, j) => 2 * dot(a, b, i, j) + c(i, j),
    ),
    op(
      [A, B, real(2, 3)],
      (a, b, c) => add(matmul(a, b), matmul(c, b)),
      [2, 4],
      (a, b, c) => (i, j) => dot(a, b, i, j) + dot(c, b, i, j),
    ),
    op(
      [A, B],
      (a, b) => add(matmul(a, b), matmul(a, b)),
      [2, 4],
      (a, b) => (i, j) => 2 * dot(a, b, i, j),
    ),
    op(
      [A, B],
      (a, b) => add(matmul(a, b), tanh(matmul(a, b))),
      [2, 4],
      (a, b) => (i, j) => dot(a, b, i, j) + Math.tanh(dot(a, b, i, j)),
    ),
    op(
      [A, B, real(2, 4), real(4)],
      (a, b, c, d) => add(add(matmul(a, b), c), d),
      [2, 4],
      (a, b, c, d) => (i, j) => dot(a, b, i, j) + c(i, j) + d(j),
    ),
    op(
      [real(1, 3), B, real(2, 4)],
      (a, b, c) => add(matmul(a, b), c),
      [2, 4],
      (a, b, c) => (i, j) => dot(a, b, 0, j) + c(i, j),
    ),
    op(
      [A, B, real(1, 2, 4)],
      (a, b, c) => add(matmul(a, b), c),
      [1, 2, 4],
      (a, b, c) => (_, i, j) => dot(a, b, i, j) + c(0, i, j),
    ),
    op(
      [A, B, real(2, 2, 4)],
      (a, b, c) => add(matmul(a, b), c),
      [2, 2, 4],
      (a, b, c) => (n, i, j) => dot(a, b, i, j) + c(n, i, j),
    ),
    op(
      [real('batch', 3), B, real('batch', 4)],
      (a, b, c) => add(c, matmul(a, b)),
      [2, 4],
      (a, b, c) => (i, j) => dot(a, b, i, j) + c(i, j),
    ),
    op(
      [real(2, 2, 3), real(2, 3, 4), real(4)],
      (a, b, c) => add(matmul(a, b), c),
      [2, 2, 4],
      (a, b, c) => (n, i, j) => total(3, (k) => a(n, i, k) * b(n, k, j)) + c(j),
    ),
  ],
  blockMatmul: blockProducts,
  byteMatmul: byteProducts,
  columnByteMatmul: columnByteProducts,
  sum: [
    op(
      [real(2, 3)],
      (x) => sum(x, [1]),
      [2],
      (x) => (i) => total(3, (j) => x(i, j)),
    ),
    op(
      [real(2, 3)],
      (x) => sum(x, [1], true),
      [2, 1],
      (x) => (i) => total(3, (j) => x(i, j)),
    ),
    op(
      [real(2, 3)],
      (x) => sum(x, [0, 1]),
      [],
      (x) => () => total(2, (i) => total(3, (j) => x(i, j))),
    ),
    op(
      [real(2, 3, 2)],
      (x) => sum(x, [0, 2], true),
      [1, 3, 1],
      (x) => (_, j) => total(2, (i) => x(i, j, 0) + x(i, j, 1)),
    ),
    op(
      [real('batch', 'sequence', 2)],
      (x) => sum(x, [1]),
      [2, 2],
      (x) => (i, k) => total(3, (j) => x(i, j, k)),
    ),
    op(
      [real('batch', 'sequence', 2)],
      (x) => sum(multiply(x, x), [1, 0]),
      [2],
      (x) => (k) => total(2, (i) => total(3, (j) => x(i, j, k) ** 2)),
    ),
    op(
      [real(2, 3)],
      (x) => sum(x, []),
      [2, 3],
      (x) => x,
    ),
  ],
  max: [
    op(
      [apart(2, 3)],
      (x) => max(x, [1]),
      [2],
      (x) => (i) => Math.max(x(i, 0), x(i, 1), x(i, 2)),
    ),
    op(
      [apart(2, 3)],
      (x) => max(x, [0], true),
      [1, 3],
      (x) => (_, j) => Math.max(x(0, j), x(1, j)),
    ),
    op(
      [apart('batch', 'sequence', 2)],
      (x) => max(x, [0, 2]),
      [3],
      (x) => (j) => Math.max(x(0, j, 0), x(0, j, 1), x(1, j, 0), x(1, j, 1)),
    ),
    op(
      [apart(2, 2)],
      (x) => max(x, [0, 1]),
      [],
      (x) => () => Math.max(...x.data),
    ),
    op(
      [apart(2, 3)],
      (x) => multiply(max(x, []), x),
      [2, 3],
      (x) => (i, j) => x(i, j) ** 2,
    ),
  ],
  softmax: [
    op(
      [real(2, 3)],
      softmax,
      [2, 3],
      (x) => (i, j) => Math.exp(x(i, j)) / total(3, (k) => Math.exp(x(i, k))),
    ),
    op(
      [real('batch', 2, 'sequence')],
      softmax,
      [2, 2, 3],
      (x) => (n, i, j) => Math.exp(x(n, i, j)) / total(3, (k) => Math.exp(x(n, i, k))),
    ),
    op(
      [real(3)],
      (x) => softmax(add(x, constant(x.node.graph, [0, 0, -1e9]))),
      [3],
      (x) => (i) => ([1, 1, 0][i]! * Math.exp(x(i))) / (Math.exp(x(0)) + Math.exp(x(1))),
    ),
  ],
  logSumExp: [
    op([real(2, 3)], logSumExp, [2, 1], (x) => (i) => Math.log(total(3, (k) => Math.exp(x(i, k))))),
    op(
      [real('batch', 2, 'sequence')],
      logSumExp,
      [2, 2, 1],
      (x) => (n, i) => Math.log(total(3, (k) => Math.exp(x(n, i, k)))),
    ),
    op(
      [real(3)],
      (x) => logSumExp(add(x, 200)),
      [1],
      (x) => () => 200 + Math.log(total(3, (k) => Math.exp(x(k)))),
    ),
  ],
  layerNorm: [
    op(
      [real(2, 4), real(4), real(4)],
      normal(0),
      [2, 4],
      (x, g, s) => (i, j) => g(j) * standard(4, (k) => x(i, k), j) + s(j),
    ),
    op(
      [real('batch', 'sequence', 4), real(4), real(4)],
      normal(0),
      [2, 3, 4],
      (x, g, s) => (n, i, j) => g(j) * standard(4, (k) => x(n, i, k), j) + s(j),
    ),
    op([real(2, 4), real(4), real(4)], normal(1), [2, 1], (x) => (i) => mean(4, (k) => x(i, k)), []),
    op([real(2, 4), real(4), real(4)], normal(2), [2, 1], (x) => (i) => 1 / deviation(4, (k) => x(i, k)), []),
  ],
  rmsNorm: [
    op(
      [real(2, 4), real(4)],
      (x, g) => rmsNorm(x, g, EPSILON),
      [2, 4],
      (x, g) => (i, j) => (g(j) * x(i, j)) / rootMeanSquare(4, (k) => x(i, k)),
    ),
    op(
      [real('batch', 'sequence', 4), real(4)],
      (x, g) => rmsNorm(x, g, EPSILON),
      [2, 3, 4],
      (x, g) => (n, i, j) => (g(j) * x(n, i, j)) / rootMeanSquare(4, (k) => x(n, i, k)),
    ),
  ],
  // The angles are data, so only rows have a gradient.
  rotate: [
    op(
      [real('sequence', 8), real('sequence', 2), real('sequence', 2)],
      rotating(4),
      [3, 8],
      (x, c, s) => (t, j) =>
        rotated(
          2,
          4,
          (j) => x(t, j),
          (i) => c(t, i),
          (i) => s(t, i),
          j,
        ),
      [0],
    ),
    op(
      [real(2, 12), real(2, 2), real(2, 2)],
      rotating(6),
      [2, 12],
      (x, c, s) => (t, j) =>
        rotated(
          2,
          6,
          (j) => x(t, j),
          (i) => c(t, i),
          (i) => s(t, i),
          j,
        ),
      [0],
    ),
  ],
};
