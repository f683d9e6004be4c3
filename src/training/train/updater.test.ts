import { describe, expect, it } from 'vitest';
import { type MethodRun, staticRun } from '../../methods/tuners/method-run.ts';
import { ParameterLayout } from '../../methods/tuners/parameter-layout.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import { Updater, type UpdateSettings } from './updater.ts';

const SETTINGS: UpdateSettings = {
  learningRate: 1,
  schedule: 'constant',
  warmupSteps: 0,
  totalSteps: 2,
  betas: [0, 0.75],
  epsilon: 2,
  weightDecay: 0,
  maxGradNorm: 0,
};

function stepped(tuner: Partial<Tuner>, settings: Partial<UpdateSettings>, gradient: number): number[] {
  const layout = tuner.layout!;
  const values = new Float32Array(layout.length).fill(1);
  const updater = new Updater(staticRun(tuner as Tuner), values, { ...SETTINGS, ...settings });
  updater.apply(new Float32Array(layout.length).fill(gradient));
  return [...updater.values];
}

it("exempts biases and norms from weight decay, as Hugging Face's trainer does", () => {
  const shapes = {
    'transformer.h.0.attn.c_attn.weight': [1, 1],
    'transformer.h.0.attn.c_attn.bias': [1],
    'transformer.h.0.ln_1.weight': [1],
    'model.encoder.layernorm_embedding.weight': [1],
    'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight': [1, 1],
    'model.layers.0.self_attn.q_proj.lora_magnitude_vector': [1],
  };
  const layout = new ParameterLayout(Object.entries(shapes).map(([name, shape]) => ({ name, shape })));
  expect(stepped({ layout }, { weightDecay: 0.5 }, 0)).toEqual([0.5, 1, 1, 1, 1, 0.5]);
});

describe('a change of the layout', () => {
  const layout = new ParameterLayout([{ name: 'b', shape: [2] }]);
  const tuner = { layout } as Tuner;
  it('keeps the moments', () => {
    const method: MethodRun = {
      ...staticRun(tuner),
      afterStep: () => ({ relayout: { indices: Int32Array.of(0, 1) } }),
    };
    const settings = { schedule: 'linear', warmupSteps: 2, totalSteps: 10, weightDecay: 0.5 } as const;
    const updater = new Updater(method, new Float32Array(2).fill(1), { ...SETTINGS, ...settings });
    for (const step of [1, 2, 3]) {
      updater.apply(new Float32Array(2).fill(1));
      expect(updater.moments().step).toBe(step);
      // β₂ is 0.75.
      updater.moments().v.forEach((v) => expect(v).toBeCloseTo(1 - 0.75 ** step, 6));
    }
  });
});
