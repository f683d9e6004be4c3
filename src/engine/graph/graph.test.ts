import { describe, expect, it } from 'vitest';
import {
  add,
  cast,
  constant,
  expand,
  input,
  matmul,
  max,
  multiply,
  pad,
  reshape,
  slice,
  sum,
  transpose,
  weight,
} from './build.ts';
import { addDimensions, symbol } from './dimension.ts';
import { Graph } from './graph.ts';

describe('a graph', () => {
  const graph = new Graph();
  const x = input(graph, 'x', 'float32', [symbol('batch'), 3]);
  const y = input(graph, 'y', 'float32', [3]);

  it('shares equal applications', () => {
    expect(add(x, y)).toBe(add(x, y));
    expect(multiply(x, 2)).toBe(multiply(x, 2));
    expect(matmul(x, x, { transposeB: true })).toBe(matmul(x, x, { transposeB: true, scale: 1 }));
    expect(sum(x, [0])).toBe(sum(x, [0]));
    expect(input(graph, 'x', 'float32', [symbol('batch'), 3])).toBe(x);
    expect(weight(graph, 'w', [3])).toBe(weight(graph, 'w', [3]));
    expect(pad(x, 0, 0, symbol('n'))).toBe(pad(x, 0, 0, addDimensions(symbol('n'), 0)));
  });

  it.each([
    ['operands', add(x, y), add(y, x)],
    ['attributes', sum(x, [0]), sum(x, [0], true)],
    ['symbolic sizes', pad(x, 0, 0, symbol('n')), pad(x, 0, 0, symbol('m'))],
    ['ops', add(x, y), multiply(x, y)],
    ['names', weight(graph, 'w', [3]), weight(graph, 'v', [3])],
    ['kinds of leaf', weight(graph, 'w', [3]), input(graph, 'w', 'float32', [3])],
    ['types', input(graph, 'x', 'int32', [3]), input(graph, 'x', 'float32', [3])],
    ['shapes of constants', constant(graph, [1, 2]), constant(graph, [1, 2], [2, 1])],
    ['elements of constants', constant(graph, [1, 2]), constant(graph, [1, 3])],
  ])('distinguishes applications with different %s', (_, a, b) => {
    expect(a).not.toBe(b);
  });

  it('recomputes on request: new nodes of equal types, also nested', () => {
    const product = add(x, y);
    const [second] = graph.again(product.node);
    expect(second).not.toBe(product);
    expect(graph.again(product.node)).toEqual([second]);
    expect(second.shape).toEqual(product.shape);
    const [third] = graph.again(second.node);
    expect([product, second, third].map(({ node }) => node.repeat)).toEqual([0, 1, 2]);
    const [other] = graph.again(product.node, [second, y]);
    expect(other.node.inputs).toEqual([second, y]);
    expect(add(x, y)).toBe(product);
  });

  it('adds no node for a step that changes nothing', () => {
    const before = graph.nodes.length;
    for (const same of [
      add(x, 0),
      multiply(x, 1),
      cast(x, 'float32'),
      sum(x, []),
      max(x, []),
      reshape(x, [symbol('batch'), 3]),
      transpose(x, [0, 1]),
      expand(x, x.shape),
      slice(x, 0, 0, symbol('batch')),
      pad(x, 1, 0, 0),
    ]) {
      expect(same).toBe(x);
    }
    expect(graph.nodes.length).toBe(before);
  });
});
