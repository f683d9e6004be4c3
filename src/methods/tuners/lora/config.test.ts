import { expect, it } from 'vitest';
import { loraConfigSchema } from './config.ts';

it('has the defaults of PEFT', () => {
  expect(loraConfigSchema.parse({})).toEqual({
    r: 8,
    lora_alpha: 8,
    lora_dropout: 0,
    bias: 'none',
    use_rslora: false,
    rank_pattern: {},
    alpha_pattern: {},
    init_lora_weights: true,
    use_dora: false,
  });
});

it.each([
  { r: 0 },
  { lora_alpha: 0 },
  { rank_pattern: { query: 0 } },
  { bias: 'some' },
  { rank: 8 },
  { scale: 'rsLoRA' },
  { scale: 'standard', use_rslora: true },
  { orthogonality: 'cosine' },
  { orth_reg_weight: 0.1, r: 1 },
  { init_lora_weights: 'pissa_niter_0' },
  { init_lora_weights: 'loftq', loftq_config: { loftq_iter: 2 } },
  { loftq_config: {} },
  { loraplus_lr_ratio: 0 },
  { use_dora: true, init_lora_weights: 'loftq' },
])('rejects %j', (settings) => expect(loraConfigSchema.safeParse(settings).success).toBe(false));

it.each([
  { orth_reg_weight: 0, orthogonality: 'sum-squared' },
  { orth_reg_weight: 0.1, r: 1, orthogonality: 'sum-squared' },
  { orth_reg_weight: 0.1, r: 1, rank_pattern: { query: 2 } },
  { init_lora_weights: 'pissa_niter_16', loraplus_lr_ratio: 16 },
  { init_lora_weights: 'loftq', loftq_config: { loftq_bits: 4 } },
  { use_dora: true, orth_reg_weight: 0.1 },
  { use_dora: true, init_lora_weights: 'pissa' },
  { use_dora: true, init_lora_weights: 'pissa', loraplus_lr_ratio: 4 },
])('accepts %j', (settings) => expect(loraConfigSchema.safeParse(settings).success).toBe(true));
