import { expect, it } from 'vitest';
import { input } from '../../../engine/graph/build.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { printGraph } from '../../../engine/graph/print.ts';
import { LowRankInjection } from '../low-rank/low-rank-injection.ts';
import { tripletLayout } from './adalora-tuner.ts';

const module = (path: string, rank: number, inFeatures: number, outFeatures = 3) => ({
  path,
  rank,
  inFeatures,
  outFeatures,
  scale: 1,
});
const MODULES = [
  module('q', 2, 4),
  module('k', 2, 4),
  module('wide', 2, 5),
  module('none', 0, 4),
  module('v', 1, 4),
  module('o', 2, 4),
];

it('stacks A of one width, by rank, and λ in the same order', () => {
  const { layout, groups } = tripletLayout(MODULES, [{ name: 'classifier.bias', shape: [2] }]);
  expect(layout.segments.map(({ name }) => name.replace('.lora_', ' '))).toEqual([
    ...['q A', 'k A', 'o A', 'v A', 'wide A'],
    ...['q B', 'k B', 'wide B', 'o B', 'v B'],
    ...['none A', 'none B'],
    ...['q E', 'k E', 'o E', 'v E', 'wide E', 'none E'],
    'classifier.bias',
  ]);
  expect(layout.stacks.map(({ shape }) => shape)).toEqual([[7, 4], [2, 5], [12, 2], [3, 1], [7], [2], [2]]);
  expect(layout.rows('v.lora_A')).toEqual([6, 7]);
  expect(layout.rows('v.lora_E')).toEqual([6, 7]);
  expect(groups.flatMap(({ members }) => members.map(({ name }) => name))).toEqual(
    layout.segments.slice(0, 10).map(({ name }) => name),
  );
});

it('uses one product with λ for all modules of a width, and one slice for adjacent ones', () => {
  const { layout } = tripletLayout(MODULES, []);
  const graph = new Graph();
  const flat = input(graph, 'flat', 'float32', [layout.length]);
  const injection = new LowRankInjection(layout, flat, MODULES, { diagonal: true, dropout: (x) => x });
  const x = (width: number) => input(graph, `x${width}`, 'float32', [6, width]);
  const increments = [
    ...injection.increments(['q', 'k'], x(4)),
    ...injection.increments(['none', 'v', 'o'], x(4)),
    ...injection.increments(['wide'], x(5)),
  ];
  expect(increments.map((value) => value?.shape)).toEqual([
    [6, 3],
    [6, 3],
    undefined,
    [6, 3],
    [6, 3],
    [6, 3],
  ]);
  const text = printGraph(increments.flatMap((value) => value ?? []));
  expect(text.match(/multiply/g)).toHaveLength(2);
  expect(text.match(/slice\(.* : float32\[\d,4\]/g)).toEqual([
    expect.stringContaining('start=0 end=4'),
    expect.stringContaining('start=6 end=7'),
    expect.stringContaining('start=4 end=6'),
  ]);
});
