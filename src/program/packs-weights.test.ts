import { expect, it } from 'vitest';
import { input, matmul, weight } from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { packsWeights } from './packs-weights.ts';

const graph = new Graph();
const x = input(graph, 'x', 'float32', [symbol('rows'), 64]);
const outputs = [matmul(x, weight(graph, 'matrix', [64, 64]))];
const large = [matmul(x, weight(graph, 'large', [64, 2 ** 23]))];

it.each([
  // A base of float32 is packed for training, unless its copies would be large.
  [outputs, { wanted: true }, true],
  [outputs, { wanted: false }, false],
  [large, { wanted: true }, false],
  // Processes of a host map it.
  [outputs, { wanted: true, sharesHost: true }, false],
  [outputs, { packing: 'alone', wanted: false }, true],
  [outputs, { packing: 'alone', wanted: true, sharesHost: true }, false],
  // Blocks of 4 bits are copied all the same: their kernels would write every matrix in float32 each time.
  [outputs, { packing: 'always', wanted: false, sharesHost: true }, true],
  [outputs, { packing: 'never', wanted: true }, false],
] as const)('case %#', (values, options, packs) => {
  expect(packsWeights(values, options)).toBe(packs);
});
