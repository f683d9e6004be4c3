import { describe, expect, it } from 'vitest';
import { input } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import type { FrozenBase } from './base/frozen-base.ts';
import { type Injection, Network } from './network.ts';

function network() {
  const graph = new Graph();
  return { graph, network: new Network(graph), x: input(graph, 'x', 'float32', [2, 4]) };
}

describe('a part of a network', () => {
  it('takes paths below its own, and records in the whole network', () => {
    const { network: whole, x } = network();
    const layer = whole.at('encoder').at('layer.0');
    layer.linear('dense', x, 3);
    layer.at('conv').parameter('weight', [2, 2]);
    layer.buffer('table', [5]);
    layer.layerInput(x);
    expect(layer.path).toBe('encoder.layer.0');
    expect([...whole.parameters.keys()]).toEqual([
      'encoder.layer.0.dense.weight',
      'encoder.layer.0.dense.bias',
      'encoder.layer.0.conv.weight',
    ]);
    expect([...whole.linears.values()]).toEqual([
      { path: 'encoder.layer.0.dense', inFeatures: 4, outFeatures: 3 },
    ]);
    expect([...whole.buffers.keys()]).toEqual(['encoder.layer.0.table']);
    expect(whole.layerInputs).toEqual([x]);
  });

  it('passes full paths to the injection and the frozen base', () => {
    const { graph, x } = network();
    const asked: string[] = [];
    const injection: Injection = {
      parameter(name) {
        asked.push(`parameter ${name}`);
        return undefined;
      },
      increments(paths) {
        asked.push(`increments ${paths}`);
        return [];
      },
    };
    const product = input(graph, 'product', 'float32', [2, 3]);
    const base: FrozenBase = {
      paths: new Set(['layer.dense']),
      packing: 'never',
      product(path) {
        asked.push(`base ${path}`);
        return product;
      },
    };
    const layer = new Network(graph, { injection }).with({ base }).at('layer');
    expect(layer.linear('dense', x, 3, { bias: false })).toBe(product);
    expect(asked).toEqual(['parameter layer.dense.weight', 'base layer.dense', 'increments layer.dense']);
  });
});
