import { expect, it } from 'vitest';
import {
  add,
  cast,
  constant,
  input,
  iota,
  layerNorm,
  matmul,
  reshape,
  slice,
  softmax,
  sum,
  watch,
} from './build.ts';
import { addDimensions, multiplyDimensions, symbol } from './dimension.ts';
import { Graph, type Value } from './graph.ts';
import { plainGraph, plainType, readType, withPlainGraph } from './plain-graph.ts';
import { printGraph } from './print.ts';

const [batch, sequence] = [symbol('batch'), symbol('sequence')];
const given = (graph: Graph) => [
  input(graph, 'x', 'float32', [batch, sequence, 2]),
  input(graph, 'labels', 'float32', [multiplyDimensions(batch, sequence), 2]),
];

/** Ops with several outputs, sizes that are not numbers, and leaves of their own. */
function computation([x, labels]: readonly Value[]): Value {
  const { graph } = x!.node;
  const flat = reshape(x!, [multiplyDimensions(batch, sequence), 2]);
  const [, mean] = layerNorm(flat, constant(graph, [1, 2]), constant(graph, [0, 1]), 1e-5);
  const places = cast(iota(graph, multiplyDimensions(batch, sequence)), 'float32');
  const rest = slice(
    places,
    0,
    addDimensions(multiplyDimensions(batch, sequence), -1),
    multiplyDimensions(batch, sequence),
  );
  const squares = matmul(softmax(flat), labels!, { transposeB: true, scale: 0.5 });
  return add(add(sum(squares, [0, 1]), sum(mean, [0, 1])), sum(rest, [0]));
}

it('is the same graph in another thread, where it may be added twice', () => {
  const [own, here] = [given(new Graph()), given(new Graph())];
  const sent = structuredClone(plainGraph(computation(own), own));
  const result = withPlainGraph(sent, here);
  expect(printGraph([result])).toBe(printGraph([computation(given(new Graph()))]));
  expect(withPlainGraph(sent, here)).toBe(result);
});

it('may be a given value', () => {
  const values = given(new Graph());
  expect(withPlainGraph(plainGraph(values[1]!, values), values)).toBe(values[1]);
});

it('keeps types', () => {
  const { dtype, shape } = given(new Graph())[1]!;
  expect(readType(structuredClone(plainType({ dtype, shape })))).toEqual({ dtype, shape });
});

it('refuses an op with a function', () => {
  const values = given(new Graph());
  const watched = watch(values[0]!, values[1]!, [], (gradient) => gradient);
  expect(() => plainGraph(watched, values)).toThrow(
    'uses the operation watch, which cannot be sent to another thread',
  );
});
