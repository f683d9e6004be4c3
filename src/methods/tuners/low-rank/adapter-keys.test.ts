import { describe, expect, it } from 'vitest';
import { adapterKey, parseAdapterKey } from './peft-config.ts';

describe('keys of an adapter file', () => {
  const adapted = (path: string) => path === 'layer.0.query';

  it.each([
    ['layer.0.query.lora_A', 'LORA', 'base_model.model.layer.0.query.lora_A.weight'],
    ['layer.0.query.lora_E', 'ADALORA', 'base_model.model.layer.0.query.lora_E'],
    ['layer.0.query.bias', 'LORA', 'base_model.model.layer.0.query.base_layer.bias'],
    ['layer.0.key.bias', 'ADALORA', 'base_model.model.layer.0.key.bias'],
    ['classifier.weight', 'LORA', 'base_model.model.classifier.weight'],
  ] as const)('%s of %s', (name, method, key) => {
    expect(adapterKey(name, method, adapted)).toBe(key);
    expect(parseAdapterKey(key)).toBe(name);
  });

  it.each([
    'base_model.model.classifier.original_module.bias',
    'base_model.model.bert.pooler.modules_to_save.default.dense.bias',
    'base_model.model.lm_head.base_layer.weight',
  ])('nothing in %s', (key) => expect(parseAdapterKey(key)).toBeUndefined());
});
