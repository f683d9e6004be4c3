import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { relativeDistance } from '../../../../tests/support/distance.ts';
import { openForTask } from '../../../../tests/support/open-for-task.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';
import { randomBatch } from '../../../input/text/batches.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { withBaseDtype } from '../../../program/bases/node/with-base-dtype.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { modelFeeds } from '../../../program/objectives/model-inputs.ts';
import { Program } from '../../../program/program.ts';
import { Random } from '../../../support/random.ts';
import { loraConfigSchema } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';

const folder = mkdtempSync(join(tmpdir(), 'adalora-dora-'));
beforeAll(() => {
  vi.stubEnv('ADALORA_CACHE', join(folder, 'cache'));
  writeTinyModel(folder, { hidden_size: 64, intermediate_size: 64 });
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Logits of LoRA and DoRA at the start, and of DoRA with changed B and magnitudes. */
async function answers(dtype: BaseDtype) {
  const model = await withBaseDtype(openForTask(folder, 'single_label_classification', 3), dtype);
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

it('starts as the base answers and moves as with a float32 base, whatever form the weights have', async () => {
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
