import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openForTask } from '../../../tests/support/open-for-task.ts';
import { writeTinyModel } from '../../../tests/support/tiny-model.ts';
import { input } from '../../graph/build.ts';
import { type Dimension, symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import { loraConfigSchema } from '../../tuners/lora/config.ts';
import { LoraTuner } from '../../tuners/lora/lora-tuner.ts';
import { METHODS } from '../../tuners/registry.ts';
import { BankInjection } from './bank-injection.ts';
import { EMPTY_SHAPE } from './bank-shape.ts';
import { packAdapter } from './pack-adapter.ts';

const folder = mkdtempSync(join(tmpdir(), 'adalora-bank-'));
beforeAll(() => writeTinyModel(folder));
afterAll(() => rmSync(folder, { recursive: true }));

it('gives each text its own rows if a module reads the same for all', () => {
  const graph = new Graph();
  const path = 'attention.query_proj';
  const shape = { ...EMPTY_SHAPE, ranks: new Map([[path, 2]]) };
  const injection = new BankInjection(graph, shape, 4, () => ({
    outFeatures: 8,
    weight: new Float32Array(0),
  }));
  const ask = (name: string, size: Dimension) => {
    const x = input(graph, name, 'float32', [size, 8]);
    injection.linear({ path, inFeatures: 8, outFeatures: 8 }, true, x);
    const [increment, other] = injection.increments([path, 'attention.other'], x);
    expect(other).toBeUndefined();
    return [increment, injection.output(path, x, x)].map((value) => value?.shape.join());
  };
  expect(ask('x', symbol('batch'))).toEqual(['batch,8', undefined]);
  expect(ask('positions', 16)).toEqual([undefined, '16*batch,8']);
  expect(injection.reader.parts.map(({ name }) => name)).toEqual([`A ${path}`, `B ${path}`]);
});

it('names a norm that all texts share', () => {
  const graph = new Graph();
  const shape = { ...EMPTY_SHAPE, shifts: new Set(['encoder.LayerNorm']) };
  const injection = new BankInjection(graph, shape, 4, () => {
    throw new Error('not asked');
  });
  const table = input(graph, 'table', 'float32', [16, 8]);
  expect(() => injection.output('encoder.LayerNorm', table, table)).toThrow(
    'encoder.LayerNorm is shared by all texts',
  );
});

it('names a module that the network does not have', () => {
  const shape = { ...EMPTY_SHAPE, shifts: new Set(['conv']) };
  const injection = new BankInjection(new Graph(), shape, 4, () => {
    throw new Error('not asked');
  });
  expect(() => injection.assertAllMet()).toThrow('conv is not a linear module, layer norm or sublayer.');
});

it('accepts low-rank adapters and whole linear modules, and names what others have', () => {
  const model = openForTask(folder, 'single_label_classification', 3);
  const pack = (tuner: Parameters<typeof packAdapter>[1]['tuner']) =>
    packAdapter(model, { tuner, values: new Float32Array(tuner.layout.length) }, 'mine');
  const lora = (more: object) =>
    LoraTuner.create(model, loraConfigSchema.parse({ r: 2, target_modules: ['query'], ...more }));
  const packed = pack(lora({}));
  expect([...packed.factors.keys()]).toEqual(
    [0, 1].map((i) => `bert.encoder.layer.${i}.attention.self.query`),
  );
  expect(packed.linears.get('classifier')).toMatchObject({ outFeatures: 3, bias: new Float32Array(3) });
  expect(() => pack(lora({ modules_to_save: ['word_embeddings'] }))).toThrow(
    'mine has bert.embeddings.word_embeddings.weight trained in full, so it cannot share batches with others. Merge it into its base model (adalora merge) to use it alone.',
  );
  const shifts = pack(METHODS.bitfit.start(model, {}, 1).tuner).shifts;
  expect([...shifts.keys()]).toContain('bert.encoder.layer.1.output.LayerNorm');
  expect(shifts.has('classifier')).toBe(false);
  const { bottlenecks } = pack(
    METHODS.houlsby.start(model, METHODS.houlsby.config.parse({ bottleneck: 3 }), 1).tuner,
  );
  expect([...bottlenecks.values()].map(({ size }) => size)).toEqual([3, 3, 3, 3]);
  model.close();
});
