import { describe, expect, it } from 'vitest';
import type { PeftAdapter } from './peft-adapter.ts';
import { parseAdapterConfig } from './peft-config.ts';
import { plainLora } from './plain-lora.ts';

const tensor = (shape: number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });

function adapter(tensors: Record<string, ReturnType<typeof tensor>>, lora_alpha = 8): PeftAdapter {
  return {
    config: parseAdapterConfig(
      { peft_type: 'ADALORA', init_r: 4, lora_alpha, target_modules: ['q', 'k'], bias: 'lora_only' },
      'test',
    ),
    tensors: new Map(Object.entries(tensors).map(([name, value]) => [`base_model.model.${name}`, value])),
  };
}

describe('an AdaLoRA adapter as plain LoRA', () => {
  const { config, tensors } = plainLora(
    adapter({
      'a.q.lora_A': tensor([2, 1], 5, 6),
      'a.q.lora_E': tensor([2, 1], 0.5, -3),
      'a.q.lora_B': tensor([2, 2], 1, 2, 3, 4),
      'a.k.lora_A': tensor([0, 1]),
      'a.k.lora_E': tensor([0, 1]),
      'a.k.lora_B': tensor([2, 0]),
      'a.q.base_layer.bias': tensor([2], 7, 8),
      'a.k.base_layer.bias': tensor([2], 9, 10),
      'head.weight': tensor([1], 11),
    }),
    'test',
  );

  it('has Q, and P with λ and the scale in it, for modules with a triplet', () => {
    const scale = 8 / (4 + 1e-5);
    expect(Object.fromEntries(tensors)).toEqual({
      'base_model.model.a.q.lora_A.weight': tensor([2, 1], 5, 6),
      'base_model.model.a.q.lora_B.weight': tensor([2, 2], 0.5 * scale, -6 * scale, 1.5 * scale, -12 * scale),
      'base_model.model.a.q.base_layer.bias': tensor([2], 7, 8),
      'base_model.model.a.k.bias': tensor([2], 9, 10),
      'base_model.model.head.weight': tensor([1], 11),
    });
  });

  it.each([0, -3])('has the number of its triplets in place of an alpha of %d, as in PEFT', (alpha) => {
    const factors = {
      'a.q.lora_A': tensor([2, 1], 5, 6),
      'a.q.lora_E': tensor([2, 1], 0.5, -3),
      'a.q.lora_B': tensor([2, 2], 1, 2, 3, 4),
    };
    const scale = 2 / (4 + 1e-5);
    expect(plainLora(adapter(factors, alpha), 'x').tensors.get('base_model.model.a.q.lora_B.weight')).toEqual(
      tensor([2, 2], 0.5 * scale, -6 * scale, 1.5 * scale, -12 * scale),
    );
  });

  it('has alpha = rank for every module', () => {
    expect(config).toMatchObject({
      peft_type: 'LORA',
      r: 2,
      lora_alpha: 2,
      target_modules: ['a.q'],
      rank_pattern: { 'a.q': 2 },
      alpha_pattern: { 'a.q': 2 },
      bias: 'lora_only',
    });
  });

  it('is rejected without a triplet, or with a part missing', () => {
    const empty = {
      'a.k.lora_A': tensor([0, 1]),
      'a.k.lora_E': tensor([0, 1]),
      'a.k.lora_B': tensor([2, 0]),
    };
    expect(() => plainLora(adapter(empty), 'x')).toThrow('x has rank 0 everywhere');
    const part = { 'a.k.lora_A': tensor([1, 1], 1), 'a.k.lora_B': tensor([1, 1], 1) };
    expect(() => plainLora(adapter(part), 'x')).toThrow('x: a.k.lora_E is missing');
  });
});
