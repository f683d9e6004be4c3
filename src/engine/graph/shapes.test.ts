import { describe, expect, it } from 'vitest';
import {
  add,
  after,
  cast,
  concat,
  equal,
  expand,
  gather,
  input,
  layerNorm,
  matmul,
  reshape,
  scatterAdd,
  slice,
  sum,
  tanh,
  transpose,
  where,
  window,
} from './build.ts';
import { symbol } from './dimension.ts';
import { Graph } from './graph.ts';

/* tests/ops.test.ts covers shapes that fit. This file covers the messages for shapes that do not fit. */
describe('mismatched operands', () => {
  const graph = new Graph();
  const batch = symbol('batch');
  const x = input(graph, 'x', 'float32', [batch, 3]);
  const y = input(graph, 'y', 'float32', [4, 3]);
  const v = input(graph, 'v', 'float32', [5]);
  const k = input(graph, 'k', 'int32', [2]);

  it.each([
    [() => after(x, y), 'after(float32[batch,3], float32[4,3]) : the gate needs a symbolic size'],
    [() => add(x, v), 'add(float32[batch,3], float32[5]) : [batch,3] and [5] do not broadcast'],
    [() => add(x, y), 'add(float32[batch,3], float32[4,3]) : [batch,3] and [4,3] do not broadcast'],
    [() => add(v, k), 'add(float32[5], int32[2]) : needs float32'],
    [() => tanh(k), 'tanh(int32[2]) : needs float32'],
    [() => equal(v, k), 'equal(float32[5], int32[2]) : types differ'],
    [() => where(v, v, v), 'where(float32[5], float32[5], float32[5]) : the condition must be bool'],
    [
      () => where(cast(k, 'bool'), k, 1),
      'where(bool[2], int32[2], float32[]) : both branches must have one type',
    ],
    [
      () => matmul(x, y),
      'matmul(float32[batch,3], float32[4,3]) transposeA=false transposeB=false scale=1: inner sizes 3 and 4 differ',
    ],
    [
      () => matmul(x, v),
      'matmul(float32[batch,3], float32[5]) transposeA=false transposeB=false scale=1: both operands need the same rank of at least 2',
    ],
    [() => sum(x, [2]), 'sum(float32[batch,3]) axes=[2] keepDims=false: axis out of range'],
    [
      () => layerNorm(x, v, v, 1),
      'layerNorm(float32[batch,3], float32[5], float32[5]) epsilon=1: gain and shift must be [3]',
    ],
    [
      () => reshape(x, [batch, 4]),
      'reshape(float32[batch,3]) shape=[batch,4]: the number of elements changes',
    ],
    [() => transpose(x, [1, 1]), 'transpose(float32[batch,3]) permutation=[1,1]: not a permutation'],
    [() => expand(x, [1, 3]), 'expand(float32[batch,3]) shape=[1,3]: does not broadcast'],
    [() => slice(y, 0, 1, 5), 'slice(float32[4,3]) axis=0 start=1 end=5: reaches beyond the axis'],
    [() => slice(y, 0, 3, 2), 'slice(float32[4,3]) axis=0 start=3 end=2: reaches beyond the axis'],
    [() => concat([x, v], 0), 'concat(float32[batch,3], float32[5]) axis=0: shapes differ beyond axis 0'],
    [() => concat([v, k], 0), 'concat(float32[5], int32[2]) axis=0: types differ'],
    [() => gather(x, v), 'gather(float32[batch,3], float32[5]) : indices must be int32'],
    [() => scatterAdd(k, x, 2), 'scatterAdd(int32[2], float32[batch,3]) rows=2: one index a row'],
    [() => scatterAdd(k, v, 2), 'scatterAdd(int32[2], float32[5]) rows=2: updates must be a float32 matrix'],
    [
      () => window(x, k, [2]),
      'window(float32[batch,3], int32[2]) shape=[2]: needs a vector and an int32 start',
    ],
  ])('%#: are reported with their types and the problem', (build, message) => {
    expect(build).toThrow(message);
  });
});
