import { describe, expect, it } from 'vitest';
import { add, input, matmul, multiply, reshape, scatterAdd, slice, tanh } from '../graph/build.ts';
import { addDimensions, multiplyDimensions, symbol } from '../graph/dimension.ts';
import { Graph, type Value } from '../graph/graph.ts';
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
