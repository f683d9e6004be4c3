import {
  add,
  cast,
  constant,
  cos,
  divide,
  equal,
  exp,
  gelu,
  greater,
  iota,
  log,
  multiply,
  negate,
  normalCdf,
  type Operand,
  relu,
  sigmoid,
  sin,
  sqrt,
  stopGradient,
  subtract,
  tanh,
  watch,
  where,
} from '../../src/engine/graph/build.ts';
import type { Value } from '../../src/engine/graph/graph.ts';
import type { DataType } from '../../src/engine/graph/ops.ts';
import { apart, int, type OpCase, op, positive, real } from '../support/check-op.ts';
import { normalDistribution } from '../support/normal-distribution.ts';

// biome-ignore-all format: one case a line.

/** Every way in which two operands combine. */
function binary(build: (a: Operand, b: Operand) => Value, f: (a: number, b: number) => number): OpCase[] {
  return [
    op([apart(2, 3), apart(2, 3)], build, [2, 3], (a, b) => (i, j) => f(a(i, j), b(i, j))),
    op([apart(2, 3), apart(3)], build, [2, 3], (a, b) => (i, j) => f(a(i, j), b(j))),
    op([apart(3), apart(2, 3)], build, [2, 3], (a, b) => (i, j) => f(a(j), b(i, j))),
    op([apart(2, 1), apart(1, 3)], build, [2, 3], (a, b) => (i, j) => f(a(i, 0), b(0, j))),
    op([apart(2, 3), apart()], build, [2, 3], (a, b) => (i, j) => f(a(i, j), b())),
    op([apart(), apart()], build, [], (a, b) => () => f(a(), b())),
    op([apart('batch', 3), apart('batch', 1)], build, [2, 3], (a, b) => (i, j) => f(a(i, j), b(i, 0))),
    op(
      [apart('batch', 1, 1), apart('sequence', 2)],
      build,
      [2, 3, 2],
      (a, b) => (i, j, k) => f(a(i, 0, 0), b(j, k)),
    ),
    op([apart('batch', 'sequence'), apart('sequence')], build, [2, 3], (a, b) => (i, j) => f(a(i, j), b(j))),
    op(
      [apart(2, 3)],
      (a) => build(a, a),
      [2, 3],
      (a) => (i, j) => f(a(i, j), a(i, j)),
    ),
    op(
      [apart(2, 3)],
      (a) => build(a, 2),
      [2, 3],
      (a) => (i, j) => f(a(i, j), 2),
    ),
    op(
      [apart(2, 3)],
      (a) => build(2, a),
      [2, 3],
      (a) => (i, j) => f(2, a(i, j)),
    ),
  ];
}

const literal = (like: Value, data: number[], shape?: number[], dtype?: DataType) =>
  constant(like.node.graph, data, shape, dtype);

/** Cases of the elementwise ops. */
export const elementwise = {
  constant: [
    op(
      [real(2, 3)],
      (a) => multiply(a, literal(a, [1, -2, 0.5])),
      [2, 3],
      (a) => (i, j) => a(i, j) * [1, -2, 0.5][j]!,
    ),
    op(
      [real(2, 3)],
      (a) => multiply(a, literal(a, [7, -2], [2, 1])),
      [2, 3],
      (a) => (i, j) => a(i, j) * [7, -2][i]!,
    ),
    op(
      [int([3], [4, 5, 6])],
      (a) => equal(a, literal(a, [4, 0, 6], [3], 'int32')),
      [3],
      () => (i) => [1, 0, 1][i]!,
    ),
    op(
      [real(2)],
      (a) => where(literal(a, [0, 1], [2], 'bool'), a, 9),
      [2],
      (a) => (i) => [9, a(1)][i]!,
    ),
  ],
  iota: [
    op(
      [int([3], [1, 0, 2])],
      (x) => equal(x, iota(x.node.graph, 3)),
      [3],
      () => (i) => [0, 0, 1][i]!,
    ),
    op(
      [int(['batch', 'sequence'], [0, 0, 2, 5, 1, 2])],
      (x) => equal(x, iota(x.node.graph, x.shape[1]!)),
      [2, 3],
      (x) => (i, j) => Number(x(i, j) === j),
    ),
  ],
  add: binary(add, (a, b) => a + b),
  subtract: binary(subtract, (a, b) => a - b),
  multiply: binary(multiply, (a, b) => a * b),
  divide: binary(divide, (a, b) => a / b),
  stopGradient: [
    op(
      [real(2, 3), real(2, 3)],
      (a, b) => multiply(a, stopGradient(b)),
      [2, 3],
      (a, b) => (i, j) => a(i, j) * b(i, j),
      [0],
    ),
  ],
  // Its rule for `b` is that of the sum's second part, which has no gradient itself.
  watch: [
    op(
      [real(2, 3), real(2, 3), real(2, 3)],
      (y, b, c) =>
        add(
          watch(y, b, [c], (g, [read]) => multiply(g, read)),
          stopGradient(multiply(b, c)),
        ),
      [2, 3],
      (y, b, c) => (i, j) => y(i, j) + b(i, j) * c(i, j),
      [0, 1],
    ),
  ],
  negate: [op([real(2, 3)], negate, [2, 3], (x) => (i, j) => -x(i, j))],
  exp: [op([real(2, 3)], exp, [2, 3], (x) => (i, j) => Math.exp(x(i, j)))],
  log: [op([positive(2, 3)], log, [2, 3], (x) => (i, j) => Math.log(x(i, j)))],
  sqrt: [op([positive(2, 3)], sqrt, [2, 3], (x) => (i, j) => Math.sqrt(x(i, j)))],
  cos: [op([real(2, 3)], cos, [2, 3], (x) => (i, j) => Math.cos(x(i, j)))],
  sin: [op([real(2, 3)], sin, [2, 3], (x) => (i, j) => Math.sin(x(i, j)))],
  tanh: [op([apart('batch', 6)], tanh, [2, 6], (x) => (i, j) => Math.tanh(x(i, j)))],
  sigmoid: [op([apart('batch', 6)], sigmoid, [2, 6], (x) => (i, j) => 1 / (1 + Math.exp(-x(i, j))))],
  relu: [op([apart('batch', 6)], relu, [2, 6], (x) => (i, j) => Math.max(0, x(i, j)))],
  normalCdf: [
    op([real(4, 6)], normalCdf, [4, 6], (x) => (i, j) => normalDistribution(x(i, j))),
    op(
      [apart(4, 6)],
      (x) => multiply(x, normalCdf(x)),
      [4, 6],
      (x) => (i, j) => x(i, j) * normalDistribution(x(i, j)),
    ),
  ],
  gelu: [
    op([apart('batch', 6)], gelu, [2, 6], (x) => (i, j) => x(i, j) * normalDistribution(x(i, j))),
    // Far out, where e^(x²/2) overflows.
    op(
      [apart(3)],
      (x) => gelu(multiply(x, 100)),
      [3],
      (x) => (i) => Math.max(0, 100 * x(i)),
    ),
  ],
  equal: [
    op([int([4], [0, 1, 2, 1]), int([4], [0, 2, 2, 0])], equal, [4], (a, b) => (i) => Number(a(i) === b(i))),
    op(
      [int([2, 1], [0, 1]), int([3], [0, 1, 0])],
      equal,
      [2, 3],
      (a, b) => (i, j) => Number(a(i, 0) === b(j)),
    ),
    op(
      [apart(3)],
      (a) => equal(a, a),
      [3],
      () => () => 1,
      [],
    ),
    op([apart(3), apart(2, 1)], equal, [2, 3], (a, b) => (i, j) => Number(a(j) === b(i, 0)), []),
  ],
  greater: [
    op([real(2, 3), real(3)], greater, [2, 3], (a, b) => (i, j) => Number(a(i, j) > b(j)), []),
    op(
      [real('batch', 3)],
      (a) => greater(a, 0),
      [2, 3],
      (a) => (i, j) => Number(a(i, j) > 0),
      [],
    ),
    op([int([3], [1, 2, 3]), int([3], [2, 2, 2])], greater, [3], (a, b) => (i) => Number(a(i) > b(i))),
  ],
  where: [
    op(
      [real(2, 3), real(2, 3), real(2, 3)],
      ifPositive,
      [2, 3],
      (c, a, b) => (i, j) => (c(i, j) > 0 ? a(i, j) : b(i, j)),
      [1, 2],
    ),
    op(
      [real(2, 1), real(3), real(1, 3)],
      ifPositive,
      [2, 3],
      (c, a, b) => (i, j) => (c(i, 0) > 0 ? a(j) : b(0, j)),
      [1, 2],
    ),
    op(
      [real('sequence'), real('batch', 1), real()],
      ifPositive,
      [2, 3],
      (c, a, b) => (i, j) => (c(j) > 0 ? a(i, 0) : b()),
      [1, 2],
    ),
    op(
      [real(4), real(4)],
      (c, a) => ifPositive(c, a, -9),
      [4],
      (c, a) => (i) => (c(i) > 0 ? a(i) : -9),
      [1],
    ),
    op(
      [apart(4)],
      (a) => ifPositive(a, multiply(a, a), a),
      [4],
      (a) => (i) => (a(i) > 0 ? a(i) ** 2 : a(i)),
    ),
    op(
      [int([3], [0, 1, 0]), int([3], [1, 2, 3]), int([1], [7])],
      (c, a, b) => where(cast(c, 'bool'), a, b),
      [3],
      (_, a) => (i) => [7, a(1), 7][i]!,
    ),
  ],
  cast: [
    op(
      [int([3], [-1, 0, 5])],
      (x) => cast(x, 'float32'),
      [3],
      (x) => x,
    ),
    op(
      [apart(3)],
      (x) => cast(x, 'int32'),
      [3],
      (x) => (i) => Math.trunc(x(i)),
      [],
    ),
    op(
      [int([3], [-1, 0, 5])],
      (x) => cast(x, 'bool'),
      [3],
      () => (i) => [1, 0, 1][i]!,
    ),
    op(
      [real(3)],
      (x) => cast(greater(x, 0), 'int32'),
      [3],
      (x) => (i) => Number(x(i) > 0),
      [],
    ),
  ],
};

function ifPositive(c: Value, a: Operand, b: Operand): Value {
  return where(greater(c, 0), a, b);
}
