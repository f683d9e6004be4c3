import { expect, it } from 'vitest';
import { blockMatmul, byteMatmul, input, matmul, negate, weight } from '../engine/graph/build.ts';
import { symbol } from '../engine/graph/dimension.ts';
import { Graph } from '../engine/graph/graph.ts';
import { weightMemory } from './weight-memory.ts';

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
