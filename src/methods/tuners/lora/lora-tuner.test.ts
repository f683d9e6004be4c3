import { describe, expect, it } from 'vitest';
import { loraConfigSchema } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';

const module = (path: string, rank: number, inFeatures = 4) => ({
  ...{ path, rank, inFeatures, outFeatures: 3, scale: 1 },
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
