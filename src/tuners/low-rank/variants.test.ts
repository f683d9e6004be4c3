import { expect, it } from 'vitest';
import { titleOf } from '../method-definition.ts';
import { type MethodName, methodNamed } from '../registry.ts';

it.each([
  ['adalora', {}, 'AdaLoRA'],
  ['adalora', { orth_reg_weight: 0 }, 'AdaLoRA (γ = 0)'],
  ['prune_lora', { score: 'sensitivity' }, 'prune-LoRA (s = I)'],
  ['svd_lora', { orth_reg_weight: 0 }, 'SVD-LoRA (γ = 0)'],
  ['lora', {}, 'LoRA'],
  ['lora', { orth_reg_weight: 0.1 }, 'LoRA + R'],
] as const)('%s with %j has the name %s', (method: MethodName, settings, title) => {
  expect(titleOf(methodNamed(method).words, settings)).toBe(title);
});
