import { expect, it } from 'vitest';
import { cpu } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input, matmul, multiply, softmax, sum } from '../../engine/graph/build.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { elementCount } from '../../support/arrays.ts';
import { Random } from '../../support/random.ts';
import { mixedValues } from './attention.ts';
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
