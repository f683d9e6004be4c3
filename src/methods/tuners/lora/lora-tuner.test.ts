import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { relativeDistance } from '../../../../tests/support/distance.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { openForTask } from '../../../../tests/support/open-for-task.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import { randomBatch } from '../../../input/text/batches.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { withBaseDtype } from '../../../program/bases/with-base-dtype.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { modelFeeds } from '../../../program/objectives/model-inputs.ts';
import { Program } from '../../../program/program.ts';
import { Random } from '../../../support/random.ts';
import { models } from '../../../use/trained/node/load-model.ts';
import { loraConfigSchema } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';

const module = (path: string, rank: number, inFeatures = 4) => ({
  path,
  rank,
  inFeatures,
  outFeatures: 3,
  scale: 1,
});
const saved = [{ name: 'classifier.bias', shape: [2] }];
const MODULES = [module('a', 2), module('b', 1), module('c', 2, 5), module('d', 2)];

const namesWith = (settings: object) =>
  new LoraTuner(loraConfigSchema.parse(settings), MODULES, saved).layout.segments.map(({ name }) => name);

describe('the vector', () => {
  const plain = [
    ...['a.lora_A', 'a.lora_B', 'b.lora_A', 'b.lora_B', 'c.lora_A', 'c.lora_B', 'd.lora_A', 'd.lora_B'],
    'classifier.bias',
  ];

  it('of plain LoRA is ordered by module', () => {
    expect(namesWith({})).toEqual(plain);
    expect(namesWith({ orth_reg_weight: 0, orthogonality: 'sum-squared' })).toEqual(plain);
  });

  it('of LoRA + R begins with the parameters of the term, by shape', () => {
    expect(namesWith({ orth_reg_weight: 0.1, orthogonality: 'sum-squared' })).toEqual([
      ...['a.lora_A', 'd.lora_A', 'b.lora_A', 'c.lora_A'],
      ...['a.lora_B', 'c.lora_B', 'd.lora_B', 'b.lora_B'],
      'classifier.bias',
    ]);
  });

  it('of cosines excludes factors with fewer than two rows', () => {
    expect(namesWith({ orth_reg_weight: 0.1 })).toEqual([
      ...['a.lora_A', 'd.lora_A', 'c.lora_A', 'a.lora_B', 'c.lora_B', 'd.lora_B'],
      ...['b.lora_A', 'b.lora_B', 'classifier.bias'],
    ]);
    const { regularizer } = new LoraTuner(loraConfigSchema.parse({ orth_reg_weight: 0.1 }), MODULES, saved);
    expect(regularizer?.views).toEqual([
      [2, 2, 4],
      [1, 2, 5],
      [3, 3, 2],
    ]);
  });
});

it('has no term without a weight, nor for cosines if every rank is 1', () => {
  const term = (settings: object, modules = MODULES) =>
    new LoraTuner(loraConfigSchema.parse(settings), modules, saved).regularizer;
  expect(term({})).toBeUndefined();
  expect(term({ orth_reg_weight: 0 })).toBeUndefined();
  expect(term({ orth_reg_weight: 1 }, [module('a', 1)])).toBeUndefined();
  expect(term({ orth_reg_weight: 1, orthogonality: 'sum-squared' }, [module('a', 1)])?.weight).toBe(1);
});

const folder = newFolder();
beforeAll(() => {
  vi.stubEnv('ADALORA_CACHE', join(folder, 'cache'));
  writeTinyModel(folder, { hidden_size: 64, intermediate_size: 64 });
});
afterAll(() => {
  vi.unstubAllEnvs();
});

/** Logits of LoRA and DoRA at the start, and of DoRA with changed B and magnitudes. */
async function answers(dtype: BaseDtype) {
  const model = await withBaseDtype(
    models.machine,
    openForTask(folder, 'single_label_classification', 3),
    dtype,
  );
  const feeds = modelFeeds(randomBatch(model.config.vocabSize, 3, 9, 'dora'));
  const found: Float32Array[] = [];
  for (const [use_dora, moved] of [
    [false, 0],
    [true, 0],
    [true, 0.1],
  ] as const) {
    const config = loraConfigSchema.parse({ use_dora, target_modules: ['query', 'output.dense'] });
    const tuner = LoraTuner.create(model, config);
    const noise = new Random(3, 'moved').normals(tuner.layout.length, moved);
    const values = tuner.initialValues(3, model.reader(3)).map((value, i) => value + noise[i]!);
    const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
    found.push((await program.predict(values, feeds)).slice());
    await program.release();
  }
  model.close();
  return found;
}

it('DoRA starts as the base answers and moves as with a float32 base, whatever form the weights have', async () => {
  const [, , exact] = (await answers('float32')) as [Float32Array, Float32Array, Float32Array];
  // Rounded weights change the logits of a model of width 64 by a few percent.
  for (const [dtype, rounding] of [
    ['float32', 1e-6],
    ['int8', 0.05],
    ['int4', 0.3],
  ] as const) {
    const [base, start, moved] = (await answers(dtype)) as [Float32Array, Float32Array, Float32Array];
    expect(relativeDistance(start, base)).toBeLessThan(1e-5);
    expect(relativeDistance(moved, start)).toBeGreaterThan(0.05);
    expect(relativeDistance(moved, exact)).toBeLessThan(rounding);
  }
});
