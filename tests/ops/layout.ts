import {
  add,
  after,
  concat,
  exp,
  expand,
  gather,
  multiply,
  pad,
  reshape,
  scatterAdd,
  slice,
  transpose,
  window,
} from '../../src/engine/graph/build.ts';
import { addDimensions, multiplyDimensions, symbol } from '../../src/engine/graph/dimension.ts';
import type { Value } from '../../src/engine/graph/graph.ts';
import { int, op, real } from '../support/check-op.ts';
import { total } from '../support/table.ts';

// biome-ignore-all format: one case a line.

const batch = symbol('batch');
const sequence = symbol('sequence');
const rows = multiplyDimensions(batch, sequence);
const beforeLast = addDimensions(sequence, -1);
const REPEATED = int([4], [2, 0, 2, 4]);
const TOKENS = int(['batch', 'sequence'], [3, 0, 3, 3, 1, 2]);
const rowsOf = (table: Value, at: Value) => gather(table, at);

/** Cases of the ops that move elements. */
export const layout = {
  reshape: [
    op(
      [real(2, 6)],
      (x) => reshape(x, [3, 4]),
      [3, 4],
      (x) => (i, j) => x.data[4 * i + j]!,
    ),
    op(
      [real(1, 1)],
      (x) => reshape(x, []),
      [],
      (x) => () => x(0, 0),
    ),
    op(
      [real()],
      (x) => reshape(x, [1, 1]),
      [1, 1],
      (x) => () => x(),
    ),
    op(
      [real('batch', 'sequence', 4)],
      (x) => reshape(x, [rows, 4]),
      [6, 4],
      (x) => (i, j) => x.data[4 * i + j]!,
    ),
    op(
      [real('batch', 'sequence', 4)],
      (x) => reshape(x, [batch, sequence, 2, 2]),
      [2, 3, 2, 2],
      (x) => (n, s, i, j) => x(n, s, 2 * i + j),
    ),
    op(
      [real('batch', 'sequence')],
      (x) => reshape(x, [multiplyDimensions(rows, 1)]),
      [6],
      (x) => (i) => x.data[i]!,
    ),
    op(
      [real('batch', 4)],
      (x) => reshape(x, [multiplyDimensions(batch, 2), 2]),
      [4, 2],
      (x) => (i, j) => x.data[2 * i + j]!,
    ),
    op(
      [TOKENS],
      (x) => reshape(x, [rows]),
      [6],
      (x) => (i) => x.data[i]!,
    ),
  ],
  transpose: [
    op(
      [real(2, 3)],
      (x) => transpose(x, [1, 0]),
      [3, 2],
      (x) => (i, j) => x(j, i),
    ),
    op(
      [real(2, 3, 4)],
      (x) => transpose(x, [2, 0, 1]),
      [4, 2, 3],
      (x) => (i, j, k) => x(j, k, i),
    ),
    op(
      [real('batch', 'sequence', 2, 2)],
      (x) => transpose(x, [0, 2, 1, 3]),
      [2, 2, 3, 2],
      (x) => (n, h, s, w) => x(n, s, h, w),
    ),
    op(
      [TOKENS],
      (x) => transpose(x, [1, 0]),
      [3, 2],
      (x) => (i, j) => x(j, i),
    ),
  ],
  expand: [
    op(
      [real(1, 3)],
      (x) => expand(x, [2, 3]),
      [2, 3],
      (x) => (_, j) => x(0, j),
    ),
    op(
      [real(3)],
      (x) => expand(x, [2, 2, 3]),
      [2, 2, 3],
      (x) => (_, __, k) => x(k),
    ),
    op(
      [real(), real('batch', 'sequence')],
      (x, like) => multiply(expand(x, [batch, sequence]), like),
      [2, 3],
      (x, like) => (i, j) => x() * like(i, j),
    ),
    op(
      [real('batch', 1), real('sequence')],
      (x, like) => add(expand(x, [batch, sequence]), like),
      [2, 3],
      (x, like) => (i, j) => x(i, 0) + like(j),
    ),
  ],
  slice: [
    op(
      [real(4, 2)],
      (x) => slice(x, 0, 1, 3),
      [2, 2],
      (x) => (i, j) => x(i + 1, j),
    ),
    op(
      [real(6)],
      (x) => reshape(slice(x, 0, 2, 6), [2, 2]),
      [2, 2],
      (x) => (i, j) => x(2 + 2 * i + j),
    ),
    op(
      [real('batch', 'sequence', 2)],
      (x) => slice(x, 1, 0, 1),
      [2, 1, 2],
      (x) => (n, _, j) => x(n, 0, j),
    ),
    op(
      [real('batch', 'sequence')],
      (x) => slice(x, 1, 1, sequence),
      [2, 2],
      (x) => (n, j) => x(n, j + 1),
    ),
    op(
      [real('batch', 'sequence')],
      (x) => slice(x, 1, beforeLast, sequence),
      [2, 1],
      (x) => (n) => x(n, 2),
    ),
    op(
      [real(4), real('batch')],
      (x, y) => multiply(slice(x, 0, 0, batch), y),
      [2],
      (x, y) => (i) => x(i) * y(i),
    ),
    op(
      [TOKENS],
      (x) => slice(x, 1, 1, sequence),
      [2, 2],
      (x) => (n, j) => x(n, j + 1),
    ),
  ],
  pad: [
    op(
      [real(2, 3)],
      (x) => pad(x, 1, 1, 2),
      [2, 6],
      (x) => (i, j) => (j >= 1 && j < 4 ? x(i, j - 1) : 0),
    ),
    op(
      [real(2, 3)],
      (x) => pad(x, 0, 0, 1),
      [3, 3],
      (x) => (i, j) => (i < 2 ? x(i, j) : 0),
    ),
    op(
      [real('batch', 'sequence')],
      (x) => pad(x, 1, batch, 1),
      [2, 6],
      (x) => (i, j) => (j >= 2 && j < 5 ? x(i, j - 2) : 0),
    ),
    op(
      [real('batch', 1)],
      (x) => pad(x, 1, 0, addDimensions(batch, -1)),
      [2, 2],
      (x) => (i, j) => (j === 0 ? x(i, 0) : 0),
    ),
  ],
  concat: [
    op(
      [real(2, 1), real(2, 2)],
      (x, y) => concat([x, y], 1),
      [2, 3],
      (x, y) => (i, j) => (j < 1 ? x(i, j) : y(i, j - 1)),
    ),
    op(
      [real(2), real(1), real(3)],
      (x, y, z) => concat([x, y, z], 0),
      [6],
      (x, y, z) => (i) => [...x.data, ...y.data, ...z.data][i]!,
    ),
    op(
      [real(2), real(1)],
      (x, y) => concat([x, y, x], 0),
      [5],
      (x, y) => (i) => [...x.data, ...y.data, ...x.data][i]!,
    ),
    op(
      [real('batch', 'sequence'), real('batch', 1)],
      (x, y) => concat([y, x], 1),
      [2, 4],
      (x, y) => (i, j) => (j < 1 ? y(i, j) : x(i, j - 1)),
    ),
    op(
      [real('batch', 2), real('sequence', 2)],
      (x, y) => concat([x, y], 0),
      [5, 2],
      (x, y) => (i, j) => (i < 2 ? x(i, j) : y(i - 2, j)),
    ),
    op(
      [TOKENS],
      (x) => concat([x, x], 0),
      [4, 3],
      (x) => (i, j) => x(i % 2, j),
    ),
  ],
  gather: [
    op([real(5, 3), REPEATED], rowsOf, [4, 3], (table, at) => (i, j) => table(at(i), j)),
    op([real(5, 3), TOKENS], rowsOf, [2, 3, 3], (table, at) => (n, s, j) => table(at(n, s), j)),
    op([real(5, 3), int([], [2])], rowsOf, [3], (table, at) => (j) => table(at(), j)),
    op([real(5), REPEATED], rowsOf, [4], (table, at) => (i) => table(at(i))),
    op([real(5, 2, 2), REPEATED], rowsOf, [4, 2, 2], (table, at) => (i, j, k) => table(at(i), j, k)),
    op([int([5], [5, 4, 3, 2, 1]), REPEATED], rowsOf, [4], (table, at) => (i) => table(at(i))),
    op(
      [real(5, 3), REPEATED],
      (table, at) => gather(table, at, 3),
      [4, 3],
      (table, at) => (i, j) => table(at(i), j),
    ),
  ],
  scatterAdd: [
    op(
      [REPEATED, real(4, 3)],
      (at, x) => scatterAdd(at, x, 5),
      [5, 3],
      (at, x) => (row, j) => total(4, (i) => (at(i) === row ? x(i, j) : 0)),
      [],
    ),
    op(
      [int(['batch'], [1, 1]), real('batch', 2)],
      (at, x) => scatterAdd(at, x, 3),
      [3, 2],
      (_, x) => (row, j) => (row === 1 ? x(0, j) + x(1, j) : 0),
      [],
    ),
  ],
  window: [
    op(
      [real(9), int([], [2])],
      (x, start) => window(x, start, [2, 3]),
      [2, 3],
      (x) => (i, j) => x(2 + 3 * i + j),
      [],
    ),
    op(
      [real(9), int([1], [0])],
      (x, start) => window(x, start, [4]),
      [4],
      (x) => (i) => x(i),
      [],
    ),
    op(
      [real(9), int([], [3]), real('batch', 'sequence')],
      (x, at, y) => add(window(x, at, y.shape), y),
      [2, 3],
      (x, _, y) => (i, j) => x(3 + 3 * i + j) + y(i, j),
      [2],
    ),
  ],
  after: [
    op(
      [real(2, 3), real('batch')],
      (x, gate) => after(x, exp(gate)),
      [2, 3],
      (x) => (i, j) => x(i, j),
      [0],
    ),
    op(
      [real('batch', 'sequence'), real(4, 'sequence')],
      (x, gate) => after(x, gate),
      [2, 3],
      (x) => (i, j) => x(i, j),
      [0],
    ),
    op(
      [real(), TOKENS],
      (x, gate) => after(x, gate),
      [],
      (x) => () => x(),
      [0],
    ),
    op(
      [TOKENS, real('batch')],
      (x, gate) => after(x, gate),
      [2, 3],
      (x) => (i, j) => x(i, j),
      [],
    ),
    op(
      [real('batch')],
      (x) => multiply(exp(x), exp(after(x, exp(x)))),
      [2],
      (x) => (i) => Math.exp(2 * x(i)),
    ),
  ],
};
