import { expect, it } from 'vitest';
import { blockMatmul, byteMatmul, input, matmul, negate, weight } from '../engine/graph/build.ts';
import { symbol } from '../engine/graph/dimension.ts';
import { Graph } from '../engine/graph/graph.ts';
import { packsWeights, weightMemory } from './weight-memory.ts';

const graph = new Graph();
const x = input(graph, 'x', 'float32', [symbol('rows'), 64]);
const matrix = weight(graph, 'matrix', [64, 64]);
const forward = matmul(x, matrix, { transposeB: true });
const backward = matmul(forward, matrix);

it('counts mapped weights once, however often they are read', () => {
  const reader = { outputs: [backward], packed: false };
  expect(weightMemory([reader, reader])).toBe(4 * 64 * 64);
});

it('counts a copy for every product that packs, and the mapping if anything else reads it', () => {
  const packing = { outputs: [backward], packed: true };
  expect(weightMemory([packing])).toBe(2 * 4 * 64 * 64);
  expect(weightMemory([packing, { outputs: [forward], packed: false }])).toBe(3 * 4 * 64 * 64);
  expect(weightMemory([{ outputs: [forward, negate(matrix)], packed: true }])).toBe(2 * 4 * 64 * 64);
});

it('counts only the one that a graph reads, of a matrix of bytes and its mirror', () => {
  const bytes = (name: string) =>
    [weight(graph, name, [64, 64], 'uint8'), weight(graph, `${name} scales`, [64])] as const;
  const [values, mirror] = [bytes('values'), bytes('mirror')];
  const product = byteMatmul(x, values, mirror);
  const one = 64 * 64 + 4 * 64;
  expect(weightMemory([{ outputs: [product], packed: false }])).toBe(one);
  const gradient = byteMatmul(product, mirror, values);
  expect(weightMemory([{ outputs: [gradient], packed: true }])).toBe(2 * one);
});

it('counts 4-bit blocks only as packed', () => {
  const blocks = weight(graph, 'blocks', [64, 32], 'uint8');
  const scales = weight(graph, 'scales', [64]);
  const attributes = { bits: 4, blockSize: 64, inFeatures: 64, outFeatures: 64, rounded: false } as const;
  const product = blockMatmul(x, blocks, scales, { ...attributes, backward: false });
  const gradient = blockMatmul(product, blocks, scales, { ...attributes, backward: true });
  expect(weightMemory([{ outputs: [gradient], packed: true }])).toBe(2 * 64 * 32 + 4 * 64);
});

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
] as const)('packsWeights decides on case %#', (values, options, packs) => {
  expect(packsWeights(values, options)).toBe(packs);
});
