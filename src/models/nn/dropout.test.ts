import { describe, expect, it } from 'vitest';
import { input } from '../../engine/graph/build.ts';
import { symbol } from '../../engine/graph/dimension.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { DropoutPool, DropoutSites, type MaskSource } from './dropout.ts';

function sites(source: MaskSource = 'graph'): DropoutSites {
  const graph = new Graph();
  const dropouts = new DropoutSites(graph, source);
  const x = input(graph, 'x', 'float32', [symbol('batch'), 1000]);
  dropouts.apply(x, 0.1);
  dropouts.apply(x, 0.1);
  dropouts.apply(x, 0.5);
  return dropouts;
}

/** The mask of the first dropout, as the graph cuts it. */
function firstMask(feeds: ReturnType<DropoutSites['feeds']>, length: number): number[] {
  const start = feeds.dropout_offsets!.data[0]!;
  return [...feeds['dropout_pool_0.1']!.data.slice(start, start + length)];
}

describe('dropout', () => {
  it('draws the same masks for the same seed and step, in any order', () => {
    const uninterrupted = sites();
    for (let step = 0; step < 3; step++) uninterrupted.feeds(7, step, { batch: 900 * (step + 1) });
    const resumed = sites().feeds(7, 3, { batch: 2 });
    const expected = uninterrupted.feeds(7, 3, { batch: 2 });
    expect(resumed.dropout_offsets).toEqual(expected.dropout_offsets);
    expect(firstMask(resumed, 2000)).toEqual(firstMask(expected, 2000));
  });

  it('feeds the same masks if the host cuts them, without a copy of the pool', () => {
    const cut = sites().feeds(7, 3, { batch: 2 });
    const fed = sites('host').feeds(7, 3, { batch: 2 });
    expect(Object.keys(fed)).toEqual(['dropout_mask_0', 'dropout_mask_1', 'dropout_mask_2']);
    expect(fed.dropout_mask_0!.dims).toEqual([2, 1000]);
    expect([...fed.dropout_mask_0!.data]).toEqual(firstMask(cut, 2000));
    expect(fed.dropout_mask_1!.data.buffer).toBe(fed.dropout_mask_0!.data.buffer);
  });

  it('draws others for another step, seed and site', () => {
    const { data } = sites().feeds(7, 3, { batch: 2 }).dropout_offsets!;
    expect(new Set(data).size).toBe(3);
    expect(sites().feeds(7, 4, { batch: 2 }).dropout_offsets!.data).not.toEqual(data);
    expect(sites().feeds(8, 3, { batch: 2 }).dropout_offsets!.data).not.toEqual(data);
  });

  it('drops the right share and keeps the mean', () => {
    for (const probability of [0.1, 0.5]) {
      const data = sites().feeds(0, 0, { batch: 1 })[`dropout_pool_${probability}`]!.data as Float32Array;
      const dropped = data.reduce((count, value) => count + Number(value === 0), 0) / data.length;
      expect(Math.abs(dropped - probability)).toBeLessThan(0.003); // Five standard errors of a million draws.
      expect(Math.max(...data.slice(0, 100))).toBeCloseTo(1 / (1 - probability), 6);
    }
  });

  it('is the identity for probability 0', () => {
    const graph = new Graph();
    const x = input(graph, 'x', 'float32', [2]);
    expect(new DropoutSites(graph).apply(x, 0)).toBe(x);
  });
});

const long = new DropoutPool(3, 0.5).atLeast(1000);

it('a pool returns the same draws for any request, in views of one memory', () => {
  const pool = new DropoutPool(3, 0.5);
  const [first, rest] = [pool.read(0, 10), pool.read(900, 1000)];
  expect([...first]).toEqual([...long.subarray(0, 10)]);
  expect([...rest]).toEqual([...long.subarray(900, 1000)]);
  expect(pool.read(0, 10).buffer).toBe(pool.read(700, 900).buffer);
});

it('a pool repeats after its period', () => {
  const pool = new DropoutPool(3, 0.5, 300);
  const expected = Array.from({ length: 1000 }, (_, i) => long[i % 300]);
  expect([...pool.read(610, 890)]).toEqual(expected.slice(610, 890));
  expect([...pool.read(250, 950)]).toEqual(expected.slice(250, 950));
  expect([...pool.atLeast(1000)].slice(0, 1000)).toEqual(expected);
  expect(pool.read(0, 900).buffer).toBe(pool.read(50, 1000).buffer);
});

it('a pool keeps little more than a period for distant parts', () => {
  const pool = new DropoutPool(3, 0.5, 300);
  for (let at = 0; at < 100_000; at += 40) pool.read(at, at + 40);
  expect(pool.read(0, 1).buffer.byteLength).toBeLessThanOrEqual(4 * (300 + 1.25 * 40));
});
