import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { wasm } from '../../../tests/support/backends.ts';
import {
  add,
  input,
  layerNorm,
  matmul,
  multiply,
  reshape,
  scatterAdd,
  slice,
  sum,
  tanh,
  window,
} from '../graph/build.ts';
import { addDimensions, multiplyDimensions, symbol } from '../graph/dimension.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { createSession } from '../runtime/node/create-session.ts';
import { lower } from './lower.ts';
import { lowerGraph } from './lower-graph.ts';
import type { Target } from './lowerings.ts';
import { LocatedWeights } from './weights.ts';

/** The operators in an encoded model, found by the names that the emitter gives to nodes. */
function operators(value: Value, target: Target): string[] {
  const text = Buffer.from(lower({ result: value }, { target })).toString('latin1');
  const names = new Set(text.match(/\b[A-Z][A-Za-z]+_\d+\b/g));
  return [...names].map((name) => name.replace(/_\d+$/, '')).sort();
}

/*
 * tests/ops.test.ts checks the values of lowered graphs. This file checks that the graphs have the intended operators.
 */
describe('lowering', () => {
  const graph = new Graph();
  const batch = symbol('batch');
  const x = input(graph, 'x', 'float32', [batch, 3]);
  const w = input(graph, 'w', 'float32', [4, 3]);
  const bias = input(graph, 'bias', 'float32', [4]);
  const product = matmul(x, w, { transposeB: true });

  it('declares the sizes of values that the engine cannot infer', () => {
    const rows = reshape(input(graph, 'tokens', 'float32', [batch, symbol('length'), 3]), [
      multiplyDimensions(batch, symbol('length')),
      3,
    ]);
    const weights = new LocatedWeights('cpu', undefined);
    const { values } = lowerGraph({ result: tanh(rows) }, { target: 'cpu', weights });
    const sizes = values.map(({ type }) => type.tensor_type.shape.dim);
    const rowsOfAll = [{ dim_param: 'batch*length' }, { dim_value: 3 }];
    expect(sizes).toEqual([rowsOfAll, rowsOfAll]);
  });

  it('fuses a sum into a product, on either side', () => {
    expect(operators(add(product, bias), 'wasm')).toEqual(['Gemm']);
    expect(operators(add(bias, product), 'webgpu')).toEqual(['Gemm']);
    expect(operators(add(add(product, bias), tanh(bias)), 'wasm')).toEqual(['Add', 'Gemm', 'Tanh']);
  });

  it('keeps sums separate from products on the cpu', () => {
    expect(operators(add(product, bias), 'cpu')).toEqual(['Add', 'Gemm']);
  });

  it('keeps a sum separate from a product with other uses', () => {
    expect(operators(multiply(add(product, bias), product), 'wasm')).toEqual(['Add', 'Gemm', 'Mul']);
  });

  it('transposes a product with many rows and few columns on the cpu', () => {
    const gradient = matmul(x, input(graph, 'g', 'float32', [batch, 2]), { transposeA: true });
    expect(operators(gradient, 'cpu')).toEqual(['Gemm', 'Transpose']);
    expect(operators(gradient, 'wasm')).toEqual(['Gemm']);
  });

  it('uses contributed operators on the cpu only', () => {
    const queries = input(graph, 'queries', 'float32', [batch, 5, 3]);
    const scores = matmul(queries, queries, { transposeB: true, scale: 0.5 });
    expect(operators(scores, 'cpu')).toEqual(['FusedMatMul']);
    for (const target of ['webgpu', 'wasm'] as const) {
      expect(operators(scores, target)).toEqual(['MatMul', 'Mul', 'Transpose']);
    }
  });

  it('scatters by a one-hot product without a scatter kernel', () => {
    const rows = scatterAdd(input(graph, 'k', 'int32', [batch]), x, 7);
    expect(operators(rows, 'cpu')).toContain('ScatterND');
    expect(operators(rows, 'webgpu')).toEqual(['Cast', 'Equal', 'MatMul', 'Reshape']);
  });

  it('computes a size once, and leaves one unknown size of a reshape to the engine', () => {
    expect(operators(reshape(x, [multiplyDimensions(batch, 3)]), 'cpu')).toEqual(['Reshape']);
    const beforeLast = addDimensions(batch, -1);
    const twice = add(slice(x, 0, beforeLast, batch), tanh(slice(x, 0, beforeLast, batch)));
    expect(operators(twice, 'cpu').filter((name) => name === 'Shape')).toEqual(['Shape']);
  });

  it('needs an input that determines a symbolic size', () => {
    const y = input(graph, 'y', 'float32', [multiplyDimensions(symbol('n'), 2)]);
    expect(() => lower({ y: slice(y, 0, 0, symbol('n')) }, { target: 'cpu' })).toThrow(
      'no input has an axis of size n',
    );
  });
});

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
