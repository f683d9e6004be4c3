import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openForTask } from '../../../tests/support/open-for-task.ts';
import { writeTinyModel } from '../../../tests/support/tiny-model.ts';
import { input } from '../../graph/build.ts';
import { symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import { loraConfigSchema } from '../../tuners/lora/config.ts';
import { LoraTuner } from '../../tuners/lora/lora-tuner.ts';
import { METHODS } from '../../tuners/registry.ts';
import { BankInjection } from './bank-injection.ts';
import { packAdapter } from './packed-adapter.ts';

const folder = mkdtempSync(join(tmpdir(), 'adalora-bank-'));
beforeAll(() => writeTinyModel(folder));
afterAll(() => rmSync(folder, { recursive: true }));

it('says which module reads the same for all texts', () => {
  const graph = new Graph();
  const shape = { ranks: new Map([['attention.query_proj', 2]]), outputs: new Map() };
  const injection = new BankInjection(graph, shape, 4, () => ({
    outFeatures: 8,
    weight: new Float32Array(0),
  }));
  const ask = (x: Parameters<typeof injection.increments>[1]) => {
    injection.linear({ path: 'attention.query_proj', inFeatures: 8, outFeatures: 8 }, true, x);
    return injection.increments(['attention.query_proj', 'attention.other'], x);
  };
  const rows = input(graph, 'x', 'float32', [symbol('batch'), 8]);
  expect(ask(rows).map((value) => value?.shape.join())).toEqual(['batch,8', undefined]);
  expect(injection.parts.map(({ name }) => name)).toEqual([
    'A attention.query_proj',
    'B attention.query_proj',
  ]);
  expect(() => ask(input(graph, 'positions', 'float32', [16, 8]))).toThrow(
    'attention.query_proj: expected a module that reads the tokens of each text',
  );
});

it('takes adapters of low rank and whole linear modules, and says what others have', () => {
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
    /mine: expected an adapter that can share batches .* got one with bert.embeddings.word_embeddings.weight/,
  );
  const bitfit = METHODS.bitfit.start(model, {}, 1);
  expect(() => pack(bitfit.tuner)).toThrow(/mine: .* got an adapter of another method/);
  model.close();
});
