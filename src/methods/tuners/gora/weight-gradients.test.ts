import { expect, it } from 'vitest';
import { loadCase } from '../../../../scripts/conformance/load-case.ts';
import { feedsOf, withPrefix } from '../../../../scripts/conformance/read-case.ts';
import { readSafetensors } from '../../../../tests/support/safetensors-file.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { Program } from '../../../program/program.ts';
import { WeightGradientTuner } from './weight-gradients.ts';

it.each([
  ['bert', 'bert.encoder.layer.0.output.dense'],
  ['gpt2', 'transformer.h.0.attn.c_attn'],
])('the measured gradient of %s is the gradient of the weight, by finite differences', async (name, path) => {
  const folder = `src/methods/tuners/fixtures/eva/${name}`;
  const batch = withPrefix(readSafetensors(`${folder}/batches.safetensors`), '0.');
  const model = loadCase(`${folder}/base`, name === 'bert' ? 'SEQ_CLS' : 'CAUSAL_LM', batch);
  const module = { ...model.linears.find((one) => one.path === path)!, rank: 1, scale: 1 };
  const tuner = new WeightGradientTuner([module], []);
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const feeds = feedsOf(model, batch);
  const values = tuner.initialValues(0, model.reader(0));
  const gradient = (await program.differentiate(values, feeds, 0, 0)).gradient.slice();
  // The step is along the gradient. In 32 bits, a difference over this step has four accurate digits.
  const length = Math.hypot(...gradient);
  const step = 0.05 / length;
  const at = (sign: number) =>
    program.loss(
      values.map((value, i) => value + sign * step * gradient[i]!),
      feeds,
    );
  const slope = ((await at(1)) - (await at(-1))) / (2 * step);
  expect(slope / length ** 2).toBeCloseTo(1, 2);
  // The weight is returned as [out, in], even if the checkpoint stores it the other way.
  const { inFeatures, outFeatures, transposed = false } = module;
  const stored = model.reader(0)(`${path}.weight`, []);
  expect(tuner.weight(module)[1]).toBe(stored[transposed ? outFeatures : 1]);
  expect(tuner.weight(module)).toHaveLength(inFeatures * outFeatures);
  await program.release();
  model.close();
});
