import { expect, it } from 'vitest';
import { titleOf } from '../method-definition.ts';
import { type MethodName, methodNamed } from '../registry.ts';

it.each([
  ['adalora', {}, 'AdaLoRA'],
  ['adalora', { orth_reg_weight: 0 }, 'AdaLoRA (γ = 0)'],
  ['prune_lora', { score: 'sensitivity' }, 'prune-LoRA (s = I)'],
  ['svd_lora', { orth_reg_weight: 0 }, 'SVD-LoRA (γ = 0)'],
  ['adalora', { use_dora: true }, 'AdaLoRA (trained magnitude)'],
  ['adalora', { path_points: 20 }, 'AdaLoRA (path of 20 points)'],
  ['igulora', { path_points: 1 }, 'IGU-LoRA (without the path)'],
  ['lora', {}, 'LoRA'],
  ['lora', { orth_reg_weight: 0.1 }, 'LoRA + R'],
  ['lora', { orth_reg_weight: 0.1, orthogonality: 'sum-squared' }, 'LoRA + R (R of equation 4)'],
] as const)('%s with %j has the name %s', (method: MethodName, settings, title) => {
  expect(titleOf(methodNamed(method).words, settings)).toBe(title);
});
