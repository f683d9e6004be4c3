import { describe, expect, it } from 'vitest';
import { adaDora, adaLoraConfigSchema, iguLora } from './pruned-triplets.ts';

describe('schema', () => {
  it('has the defaults of PEFT, except the phases, which are shares of the run', () => {
    expect(adaLoraConfigSchema.parse({})).toEqual({
      target_r: 8,
      init_r: 12,
      deltaT: 1,
      beta1: 0.85,
      beta2: 0.85,
      orth_reg_weight: 0.5,
      lora_alpha: 8,
      lora_dropout: 0,
      bias: 'none',
      shrink: 'at-final',
      score: 'sensitivity-uncertainty',
      init: 'normal',
      use_dora: false,
      path_points: 1,
      initial_lambda: 0,
      scale: 'standard',
    });
  });

  it.each([
    [{ tinit: '101%' }, 'tinit'],
    [{ tinit: '10' }, 'tinit'],
    [{ tfinal: -1 }, 'tfinal'],
    [{ deltaT: 0 }, 'deltaT'],
    [{ beta1: 1 }, 'beta1'],
    [{ lora_dropout: 1 }, 'lora_dropout'],
    [{ orth_reg_weight: -0.1 }, 'orth_reg_weight'],
    [{ target_modules: [] }, 'target_modules'],
    [{ init: 'orthogonal' }, 'init'],
    [{ scale: 'alpha' }, 'scale'],
    [{ score: 'snr' }, 'score'],
  ])('rejects %j', (settings, key) => {
    const result = adaLoraConfigSchema.safeParse(settings);
    expect(result.error?.issues.map(({ path }) => path[0])).toEqual([key]);
  });

  it('rejects an unknown key', () => {
    expect(adaLoraConfigSchema.safeParse({ traget_r: 8 }).error?.issues[0]?.code).toBe('unrecognized_keys');
  });
});

it.each([
  [adaDora, { use_dora: true }],
  [iguLora, { score: 'sensitivity-over-uncertainty', path_points: 20, initial_lambda: 0.1 }],
])('$words.title is AdaLoRA with %j', ({ config }, settings) => {
  expect(config.parse({})).toEqual(adaLoraConfigSchema.parse(settings));
});
