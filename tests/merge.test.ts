import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { largestDifference } from '../scripts/conformance/compare.ts';
import { feedsOf, floats, named, withPrefix } from '../scripts/conformance/read-case.ts';
import { everyParameter } from '../src/methods/tuners/full/definition.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { Program } from '../src/program/program.ts';
import { open } from '../src/use/trained/node/open.ts';
import { newFolder } from './support/new-folder.ts';
import { openForTask } from './support/open-for-task.ts';
import { readSafetensors } from './support/safetensors-file.ts';

const CASE = '../shared/conformance/trajectories/bert-adalora';

/** Logits of a checkpoint on the case's probe. */
async function logitsOf(folder: string): Promise<Float32Array> {
  const model = openForTask(folder, 'single_label_classification');
  const tuner = everyParameter(model);
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const inputs = feedsOf(model, withPrefix(readSafetensors(join(CASE, 'probe.safetensors')), 'batch.'));
  const logits = await program.predict(tuner.initialValues(0, model.reader(0)), inputs);
  await program.release();
  model.close();
  return logits;
}

// Skipped if the golden cases are not beside the repository.
describe.skipIf(!existsSync(CASE))('a merged checkpoint', () => {
  const folder = newFolder();

  it.each([
    [undefined, 'F32', 1e-5],
    ['float16', 'F16', 2e-3],
    ['bfloat16', 'BF16', 2e-2],
  ] as const)('in %s has the logits of the adapted model', async (dtype, stored, limit) => {
    const output = join(folder, String(dtype));
    const opened = await open(join(CASE, 'adapter'), { model: join(CASE, 'base') });
    await opened.merge(output, { dtype });
    await opened.close();
    const types = [...readSafetensors(join(output, 'model.safetensors')).values()].map(
      (tensor) => tensor.dtype,
    );
    expect(new Set(types)).toEqual(new Set([stored]));
    const config = JSON.parse(readFileSync(join(output, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      architectures: ['BertForSequenceClassification'],
      dtype: dtype ?? 'float32',
    });
    const expected = floats(named(readSafetensors(join(CASE, 'probe.safetensors')), 'merged_logits'));
    expect(largestDifference(await logitsOf(output), expected)).toBeLessThan(limit);
  });
});
