import { describe, expect, it } from 'vitest';
import { type MethodRun, type Relayout, staticRun } from '../../methods/tuners/method-run.ts';
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
  const taken = (relayout: Partial<Relayout>, isLater = false) => {
    let steps = 0;
    const method: MethodRun = {
      ...staticRun(tuner),
      get added() {
        return isLater ? Int32Array.of(0, Math.min(1, steps)) : undefined;
      },
      afterStep: () => ({ relayout: { indices: Int32Array.of(0, 1), ...relayout } }),
    };
    const settings = { schedule: 'linear', warmupSteps: 2, totalSteps: 10, weightDecay: 0.5 } as const;
    const updater = new Updater(method, new Float32Array(2).fill(1), { ...SETTINGS, ...settings });
    return [1, 2, 3].map(() => {
      updater.apply(new Float32Array(2).fill(1));
      steps++;
      const { step, v } = updater.moments();
      return { values: [...updater.values], step, v: [...v] };
    });
  };

  it('keeps the moments, unless the method restarts the optimizer', () => {
    expect(taken({}).map(({ step }) => step)).toEqual([1, 2, 3]);
    for (const { step, v } of taken({ restarts: true })) expect([step, ...v]).toEqual([0, 0, 0]);
  });

  it('gives values that were added later the schedule from there', () => {
    const plain = taken({});
    const later = taken({}, true);
    // The run's factors are 0, 1/2 and 1. After one step, the factors are 0 and 1/2, one step later.
    expect(later.map(({ values }) => values[0])).toEqual(plain.map(({ values }) => values[0]));
    expect(later[1]!.values[1]).toBe(1);
    expect(later[2]!.values[1]).toBeLessThan(1);
    expect(later[2]!.values[1]).toBeGreaterThan(later[2]!.values[0]!);
  });
});
