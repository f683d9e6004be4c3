import { expect, it } from 'vitest';
import { cpu } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input, matmul, multiply, softmax, sum } from '../../engine/graph/build.ts';
import { multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { elementCount } from '../../support/arrays.ts';
import { Random } from '../../support/random.ts';
import { attention, mixedValues } from './attention.ts';
import { attentionBias } from './attention-bias.ts';
import { Network } from './network.ts';

const [HEADS, QUERIES, KEYS, SIZE] = [3, 4, 9, 2];

/** The gradients of scores and values, from attention's own derivative or from those of its ops. */
async function slopes(isOwn: boolean, dropout: number): Promise<Record<string, readonly number[]>> {
  const graph = new Graph();
  const of = (name: string, ...shape: number[]) => input(graph, name, 'float32', shape);
  const [scores, values] = [of('scores', HEADS, QUERIES, KEYS), of('values', HEADS, KEYS, SIZE)];
  const network = new Network(graph);
  network.dropout = (x: Value, probability) =>
    probability > 0 ? multiply(x, of('mask', HEADS, QUERIES, KEYS)) : x;
  const mixed = isOwn
    ? mixedValues(network, scores, values, dropout)
    : matmul(network.dropout(softmax(scores), dropout), values);
  const loss = sum(multiply(mixed, of('weights', HEADS, QUERIES, SIZE)), [0, 1, 2]);
  const [byScores, byValues] = gradients(loss, [scores, values]);
  const outputs = { mixed, byScores: byScores!, byValues: byValues! };
  const session = await cpu.open(lower(outputs, { target: 'cpu' }));
  const drawn = (name: string, ...dims: number[]) => ({
    data: new Random(5, name).normals(elementCount(dims), 1),
    dims,
  });
  const mask = drawn('mask', HEADS, QUERIES, KEYS);
  const results = await session.run({
    scores: drawn('scores', HEADS, QUERIES, KEYS),
    values: drawn('values', HEADS, KEYS, SIZE),
    weights: drawn('weights', HEADS, QUERIES, SIZE),
    mask: { ...mask, data: mask.data.map((_, i) => (i % 4 === 0 ? 0 : 4 / 3)) },
  });
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data].map(Number)]));
}

it.each([0, 0.25])('has the gradients of its ops (dropout %d)', async (dropout) => {
  const [own, expected] = [await slopes(true, dropout), await slopes(false, dropout)];
  expect(own.mixed).toEqual(expected.mixed);
  expect(own.byValues).toEqual(expected.byValues);
  // The same sums of float32 numbers in another order.
  own.byScores!.forEach((slope, i) => expect(slope).toBeCloseTo(expected.byScores![i]!, 6));
  expect(Math.hypot(...own.byScores!)).toBeGreaterThan(0.1);
});

/** Attention of 3 texts with padding at the end, at the start, and nothing but padding, by the engine's operators. */
async function attended(tokens: number, isMasked: boolean, target: 'cpu' | 'wasm') {
  const graph = new Graph();
  // Without a mask no input has these sizes.
  const [length, batch] = isMasked ? [symbol('tokens'), symbol('batch')] : [tokens, 3];
  const rows = (name: string) =>
    input(graph, name, 'float32', [multiplyDimensions(length, batch), HEADS * SIZE]);
  const mask = input(graph, 'mask', 'int32', [batch, length]);
  const options = { batch, queries: length, keys: length, heads: HEADS, headSize: SIZE, dropout: 0 };
  const parts = [rows('q'), rows('k'), rows('v')] as const;
  const y = attention(new Network(graph), parts, isMasked ? attentionBias(mask) : undefined, options);
  const model = lower({ y }, { target });
  const session = await cpu.open(model);
  const ofRows = (name: string) => {
    const dims = [tokens * 3, HEADS * SIZE];
    return { data: new Random(5, name).normals(elementCount(dims), 1), dims };
  };
  const isReal = (row: number, at: number) => (row === 0 ? at < tokens - 2 : row === 1 && at > 0);
  const real = Int32Array.from({ length: 3 * tokens }, (_, i) =>
    Number(isReal(Math.floor(i / tokens), i % tokens)),
  );
  const feeds = { q: ofRows('q'), k: ofRows('k'), v: ofRows('v'), mask: { data: real, dims: [3, tokens] } };
  const { data } = (await session.run(feeds)).y!;
  await session.release();
  return { data, inBlocks: Buffer.from(model).includes('MultiHeadAttention') };
}

it.each([
  { tokens: 3, isMasked: true },
  { tokens: 700, isMasked: true },
  { tokens: 700, isMasked: false },
])(
  'computes $tokens tokens in blocks as with all weights (mask: $isMasked)',
  async ({ tokens, isMasked }) => {
    const [blocks, whole] = [
      await attended(tokens, isMasked, 'cpu'),
      await attended(tokens, isMasked, 'wasm'),
    ];
    expect([blocks.inBlocks, whole.inBlocks]).toEqual([true, false]);
    // The same sums of float32 numbers in another order.
    blocks.data.forEach((x, i) => expect(Math.abs(x - whole.data[i]!)).toBeLessThan(2e-6));
    expect(Math.hypot(...whole.data.slice(0, 60))).toBeGreaterThan(0.1);
  },
);
