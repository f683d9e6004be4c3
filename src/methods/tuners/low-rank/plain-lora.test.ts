import { describe, expect, it } from 'vitest';
import { type PeftAdapter, parseAdapterConfig } from './peft-config.ts';
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

  it('has one alpha, and needs no patterns', () => {
    expect(config).toMatchObject({
      peft_type: 'LORA',
      r: 2,
      lora_alpha: 2,
      target_modules: ['a.q'],
      rank_pattern: {},
      alpha_pattern: {},
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

describe('an adapter with several ranks', () => {
  const factors = {
    'a.q.lora_A': tensor([2, 1], 5, 6),
    'a.q.lora_E': tensor([2, 1], 0.5, -3),
    'a.q.lora_B': tensor([1, 2], 1, 2),
    'a.k.lora_A': tensor([1, 1], 7),
    'a.k.lora_E': tensor([1, 1], 2),
    'a.k.lora_B': tensor([1, 1], 3),
  };
  /** The increment of a module as a program computes it that only reads alpha. */
  const increment = ({ config, tensors }: PeftAdapter, module: string, rank?: number) => {
    const A = tensors.get(`base_model.model.${module}.lora_A.weight`)!;
    const B = tensors.get(`base_model.model.${module}.lora_B.weight`)!;
    const scale = config.lora_alpha / (rank ?? A.shape[0]!);
    return scale * A.data.reduce((sum, value, i) => sum + value * B.data[i]!, 0);
  };
  const scale = 8 / (4 + 1e-5);
  const expected = [scale * (5 * 0.5 * 1 + 6 * -3 * 2), scale * (7 * 2 * 3)];

  it('is right where alpha is divided by the rank of each tensor', () => {
    const plain = plainLora(adapter(factors), 'x', true);
    expect(plain.config).toMatchObject({
      r: 2,
      lora_alpha: 2,
      rank_pattern: { 'a.q': 2, 'a.k': 1 },
      alpha_pattern: {},
    });
    // Products of float32 numbers.
    expect(increment(plain, 'a.q')).toBeCloseTo(expected[0]!, 4);
    expect(increment(plain, 'a.k')).toBeCloseTo(expected[1]!, 4);
  });

  it('is right where alpha is divided by r', () => {
    const uniform = plainLora(adapter(factors), 'x');
    expect(uniform.config).toMatchObject({ r: 2, lora_alpha: 2, rank_pattern: {}, alpha_pattern: {} });
    expect(uniform.tensors.get('base_model.model.a.k.lora_A.weight')).toEqual(tensor([2, 1], 7, 0));
    expect(increment(uniform, 'a.q', 2)).toBeCloseTo(expected[0]!, 4);
    expect(increment(uniform, 'a.k', 2)).toBeCloseTo(expected[1]!, 4);
  });
});

describe('a LoRA adapter', () => {
  const lora = (settings: object): PeftAdapter => ({
    config: parseAdapterConfig({ peft_type: 'LORA', r: 1, target_modules: ['q', 'k'], ...settings }, 'test'),
    tensors: new Map([
      ['base_model.model.a.q.lora_A.weight', tensor([1, 1], 5)],
      ['base_model.model.a.q.lora_B.weight', tensor([1, 1], 2)],
      ['base_model.model.a.k.lora_A.weight', tensor([4, 1], 1, 2, 3, 4)],
      ['base_model.model.a.k.lora_B.weight', tensor([1, 4], 1, 1, 1, 1)],
    ]),
  });

  it('is returned unchanged with one integer alpha, unless its ranks are padded', () => {
    const adapter = lora({ lora_alpha: 3, rank_pattern: { k: 4 } });
    expect(plainLora(adapter, 'x', true)).toBe(adapter);
    expect(plainLora(adapter, 'x').config).toMatchObject({ r: 4, lora_alpha: 4, rank_pattern: {} });
  });

  it('is not padded if it starts from the weights', () => {
    const adapter = lora({ rank_pattern: { k: 4 }, init_lora_weights: 'pissa' });
    expect(() => plainLora(adapter, 'x')).toThrow('so its ranks cannot be padded');
  });

  it.each([
    [{ lora_alpha: 3, rank_pattern: { k: 4 }, alpha_pattern: { k: 5 } }, 3, 5 / 4],
    [{ lora_alpha: 3, rank_pattern: { k: 4 }, use_rslora: true }, 3, 3 / 2],
    [{ lora_alpha: 1.5, rank_pattern: { k: 4 } }, 1.5, 1.5 / 4],
  ])('has the rest of its scale in B: %o', (settings, q, k) => {
    const { config, tensors } = plainLora(lora(settings), 'x', true);
    expect(config).toMatchObject({ r: 4, lora_alpha: 4, use_rslora: false, alpha_pattern: {} });
    expect(tensors.get('base_model.model.a.q.lora_B.weight')).toEqual(tensor([1, 1], (2 * q) / 4));
    expect(tensors.get('base_model.model.a.k.lora_B.weight')).toEqual(tensor([1, 4], k, k, k, k));
  });
});
