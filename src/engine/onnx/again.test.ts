import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { wasm } from '../../../tests/support/backends.ts';
import { add, input, layerNorm, multiply, sum, tanh, window } from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { createSession } from '../runtime/node/create-session.ts';
import { lower } from './lower.ts';

const ROWS = [1, -2, 3, 5, 0, 7];
const FEEDS = {
  x: { data: Float32Array.from(ROWS), dims: [2, 3] },
  gain: { data: Float32Array.of(1, 2, 3), dims: [3] },
  pool: { data: Float32Array.from([9, ...ROWS, 9]), dims: [8] },
  start: { data: Int32Array.of(1), dims: [1] },
};

/** Values that the backward pass recomputes, and the kernels that recompute them. */
const CASES: [kernels: string, build: (graph: Graph, x: Value) => Value][] = [
  ['Mul', (_, x) => multiply(x, tanh(x))],
  ['Tanh', (_, x) => tanh(x)],
  [
    'LayerNormalization',
    (graph, x) => {
      const gain = input(graph, 'gain', 'float32', [3]);
      return layerNorm(x, gain, gain, 1e-5)[0];
    },
  ],
  [
    'Slice Reshape',
    (graph) => {
      const pool = input(graph, 'pool', 'float32', [symbol('pool')]);
      return window(pool, input(graph, 'start', 'int32', [1]), [2, 3]);
    },
  ],
];

/** Adds a value to itself, or to its recomputed copy. */
function program(build: (graph: Graph, x: Value) => Value, again: boolean) {
  const graph = new Graph();
  const value = build(graph, input(graph, 'x', 'float32', [symbol('rows'), 3]));
  const second = again ? graph.again(value.node)[value.index]! : value;
  const result = add(value, sum(second, [0]));
  const names = new Set(
    graph.nodes.flatMap(({ attributes }) => ('name' in attributes ? attributes.name : [])),
  );
  return { result, feeds: Object.fromEntries(Object.entries(FEEDS).filter(([name]) => names.has(name))) };
}

async function kernels(build: (graph: Graph, x: Value) => Value, again: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  const { result, feeds } = program(build, again);
  const session = await createSession(lower({ result }, { target: 'cpu' }), {
    device: 'cpu',
    threads: 1,
    profilePrefix: join(folder, 'profile'),
  });
  const { data } = (await session.run(feeds)).result!;
  await session.release();
  const [file] = readdirSync(folder);
  const events: { name: string }[] = JSON.parse(readFileSync(join(folder, file!), 'utf8'));
  rmSync(folder, { recursive: true });
  return {
    data: [...data],
    run: events.flatMap(({ name }) => name.match(/\/([A-Za-z]+)_\d+_kernel_time$/)?.[1] ?? []),
  };
}

it.each(CASES)('the engine runs %s twice if the graph recomputes it', async (names, build) => {
  const [once, twice] = [await kernels(build, false), await kernels(build, true)];
  expect(twice.run.toSorted()).toEqual([...once.run, ...names.split(' ')].toSorted());
  expect(twice.data).toEqual(once.data);
});

it.each(CASES)('WebAssembly supports a second %s', async (_, build) => {
  const results = [false, true].map(async (again) => {
    const { result, feeds } = program(build, again);
    const session = await wasm.open(lower({ result }, { target: 'wasm' }));
    const { data } = (await session.run(feeds)).result!;
    await session.release();
    return [...data];
  });
  const [once, twice] = await Promise.all(results);
  expect(twice).toEqual(once);
});
