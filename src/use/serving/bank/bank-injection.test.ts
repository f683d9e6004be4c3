import { expect, it } from 'vitest';
import { input } from '../../../engine/graph/build.ts';
import { type Dimension, symbol } from '../../../engine/graph/dimension.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import type { BankedPart } from '../../../methods/tuners/bank/bank-form.ts';
import { wholeParts } from '../../../methods/tuners/bank/packed-adapter.ts';
import { bankedFactors } from '../../../methods/tuners/low-rank/low-rank-tuner.ts';
import { ParameterLayout } from '../../../methods/tuners/parameter-layout.ts';
import { BankInjection } from './bank-injection.ts';
import { EMPTY_SHAPE, withRoom } from './bank-shape.ts';

const shapeOf = (parts: readonly BankedPart[]) =>
  withRoom(EMPTY_SHAPE, new Map(parts.map((part) => [part.form.key, part])));

/** The room for a trained bias. */
const shiftOf = (path: string) =>
  shapeOf(
    wholeParts(
      ...([[], new Set([`${path}.bias`])] as const),
      () => new Float32Array(8),
      () => new Float32Array(8),
      'mine',
    ),
  );
const notAsked = () => {
  throw new Error('not asked');
};

it('gives each text its own rows if a module reads the same for all', () => {
  const graph = new Graph();
  const path = 'attention.query_proj';
  const module = { path, inFeatures: 8, outFeatures: 8 };
  const layout = new ParameterLayout([
    { name: `${path}.lora_A`, shape: [2, 8] },
    { name: `${path}.lora_B`, shape: [8, 2] },
  ]);
  const factors = bankedFactors({
    modules: [{ ...module, rank: 2, scale: 1 }],
    layout,
    values: new Float32Array(layout.length),
  });
  const injection = new BankInjection(graph, shapeOf([factors]), 4, notAsked);
  const ask = (name: string, size: Dimension) => {
    const x = input(graph, name, 'float32', [size, 8]);
    injection.linear(module, true, x);
    const [increment, other] = injection.increments([path, 'attention.other'], x);
    expect(other).toBeUndefined();
    return [increment, injection.output(path, x, x)].map((value) => value?.shape.join());
  };
  expect(ask('x', symbol('batch'))).toEqual(['batch,8', 'batch,8']);
  expect(ask('positions', 16)).toEqual([undefined, '16*batch,8']);
  expect(injection.parts.map(({ name }) => name)).toEqual([`factors A ${path}`, `factors B ${path}`]);
});

it('names a norm that all texts share', () => {
  const graph = new Graph();
  const injection = new BankInjection(graph, shiftOf('encoder.LayerNorm'), 4, notAsked);
  const table = input(graph, 'table', 'float32', [16, 8]);
  expect(() => injection.output('encoder.LayerNorm', table, table)).toThrow(
    'encoder.LayerNorm is computed once for all texts of a batch, so it cannot share batches with other adapters.',
  );
});

it('names a module that the network does not have', () => {
  const injection = new BankInjection(new Graph(), shiftOf('conv'), 4, notAsked);
  expect(() => injection.assertAllMet()).toThrow('conv is not a linear module, layer norm or sublayer');
});
