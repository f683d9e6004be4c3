import { expect, it } from 'vitest';
import { blockMatmul, input, matmul, weight } from '../engine/graph/build.ts';
import { symbol } from '../engine/graph/dimension.ts';
import { Graph } from '../engine/graph/graph.ts';
import { packsWeights } from './weight-memory.ts';

const graph = new Graph();
const x = input(graph, 'x', 'float32', [symbol('rows'), 64]);
const outputs = [matmul(x, weight(graph, 'matrix', [64, 64]))];
const blocks = (bits: 4 | 8, { rounded = false, backward = false } = {}) => [
  blockMatmul(x, weight(graph, `blocks of ${bits}`, [64, 8 * bits], 'uint8'), weight(graph, 'scales', [64]), {
    bits,
    blockSize: 64,
    inFeatures: 64,
    outFeatures: 64,
    backward,
    rounded,
  }),
];
const large = weight(graph, 'large', [64, 2 ** 23]);
const onceLarge = [matmul(x, large)];
const twiceLarge = [
  ...onceLarge,
  matmul(input(graph, 'y', 'float32', [symbol('rows'), 2 ** 23]), large, { transposeB: true }),
];
const tooLarge = [matmul(x, weight(graph, 'too large', [64, 2 ** 25]))];

it.each([
  // A float32 base is packed where that is wanted, unless its copies take too much.
  [outputs, { wanted: true }, true],
  [outputs, { wanted: false }, false],
  [onceLarge, { wanted: true }, true],
  [twiceLarge, { wanted: true }, false],
  [tooLarge, { wanted: true }, false],
  // Processes of a host share the mapped weights.
  [outputs, { wanted: true, sharesHost: true }, false],
  [outputs, { packing: 'alone', wanted: false }, true],
  [outputs, { packing: 'alone', wanted: true, sharesHost: true }, false],
  [blocks(4), { packing: 'never', wanted: false, sharesHost: true }, true],
  [blocks(8), { packing: 'never', wanted: true }, false],
  [blocks(8, { rounded: true }), { packing: 'never', wanted: false, sharesHost: true }, true],
  [blocks(4, { backward: true }), { packing: 'never', wanted: true }, false],
  [outputs, { packing: 'never', wanted: true }, false],
] as const)('case %#', (values, options, packs) => {
  expect(packsWeights(values, options)).toBe(packs);
});
