import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatAdapterConfig } from '../../../input/formats/adapters/encode-adapter.ts';
import { UserError } from '../../../support/user-error.ts';
import { adapterKey, asStored, parseAdapterConfig, parseAdapterKey } from './peft-config.ts';

const parse = (value: unknown) => parseAdapterConfig(value, 'c.json');

describe('parseAdapterConfig', () => {
  it("fills in PEFT's defaults and drops unknown keys", () => {
    const config = parse({ peft_type: 'ADALORA', target_modules: ['query'], total_step: 9, some_new_key: 1 });
    expect(config).toEqual({
      peft_type: 'ADALORA',
      task_type: null,
      base_model_name_or_path: null,
      revision: null,
      auto_mapping: null,
      inference_mode: false,
      target_modules: ['query'],
      exclude_modules: null,
      layers_to_transform: null,
      layers_pattern: null,
      modules_to_save: null,
      lora_alpha: 8,
      lora_dropout: 0,
      use_rslora: false,
      bias: 'none',
      fan_in_fan_out: false,
      init_lora_weights: true,
      alpha_pattern: {},
      r: 8,
      target_r: 8,
      init_r: 12,
      tinit: 0,
      tfinal: 0,
      deltaT: 1,
      beta1: 0.85,
      beta2: 0.85,
      orth_reg_weight: 0.5,
      total_step: 9,
      rank_pattern: null,
    });
  });

  it('reads the patterns of LoRA, null as empty', () => {
    expect(parse({ peft_type: 'LORA', r: 4, rank_pattern: { 'a.b': 2 }, alpha_pattern: null })).toMatchObject(
      {
        r: 4,
        rank_pattern: { 'a.b': 2 },
        alpha_pattern: {},
      },
    );
  });

  it.each<[unknown, string]>([
    [null, 'c.json: peft_type must be "LORA" or "ADALORA", got nothing'],
    [{ peft_type: 'LOHA' }, 'must be "LORA" or "ADALORA", got "LOHA"'],
  ])('rejects the type of %j', (value, message) => expect(() => parse(value)).toThrow(message));

  it('lists every invalid key', () => {
    const attempt = () => parse({ peft_type: 'LORA', r: 'x', lora_dropout: 2, rank_pattern: { a: 0.5 } });
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(/^c\.json: lora_dropout: .*\nc\.json: r: .*\nc\.json: rank_pattern\.a: .*$/);
  });

  it.each<[string, unknown]>([
    ['layer_replication', [[0, 4]]],
    ['lora_bias', true],
    ['use_qalora', true],
    ['alora_invocation_tokens', [1]],
    ['trainable_token_indices', [0]],
    ['target_parameters', ['w']],
    ['megatron_config', { a: 1 }],
    ['use_bdlora', { nblocks: 2 }],
    ['init_lora_weights', 'pissa_niter_16'],
    ['init_lora_weights', 'corda'],
    ['init_lora_weights', 'loftq'],
  ])('rejects %s: %j by name', (key, value) => {
    expect(() => parse({ peft_type: 'LORA', [key]: value })).toThrow(`c.json: ${key} `);
  });

  it("rejects LoRA's settings for AdaLoRA", () => {
    const attempt = (settings: object) => () => parse({ peft_type: 'ADALORA', ...settings });
    expect(attempt({ use_dora: true })).toThrow('c.json: use_dora is not supported');
    expect(attempt({ init_lora_weights: 'pissa' })).toThrow('c.json: init_lora_weights must be one of');
  });

  it('names the rounds of LoftQ, which rounds the base weights', () => {
    const loftq = { loftq_bits: 4, loftq_iter: 5 };
    expect(() => parse({ peft_type: 'LORA', init_lora_weights: 'loftq', loftq_config: loftq })).toThrow(
      'c.json: init_lora_weights "loftq" rounds the base weights (loftq_iter: 5), and this file does not contain',
    );
  });

  it.each<[string, unknown]>([
    ['corda_config', { corda_method: 'ipm' }],
    ['lora_ga_config', { direction: 'ArB2r' }],
    ['loftq_config', { loftq_bits: 4 }],
    ['init_lora_weights', 'mica'],
  ])('accepts %s: %j, which says how training began', (key, value) => {
    expect(parse({ peft_type: 'LORA', [key]: value })).toMatchObject({ peft_type: 'LORA' });
  });

  it('accepts the same settings when off', () => {
    const off = { use_dora: false, layer_replication: [], loftq_config: {}, megatron_config: null };
    expect(parse({ peft_type: 'LORA', init_lora_weights: 'gaussian', ...off }).init_lora_weights).toBe(
      'gaussian',
    );
  });
});

const trajectories = '../shared/conformance/trajectories';
const cases = existsSync(trajectories) ? readdirSync(trajectories) : [];

describe.skipIf(cases.length === 0)('adapter_config.json of PEFT (skipped without ../shared)', () => {
  it.each(cases)('%s: the same keys, in the same order, with the same values', (name) => {
    const value = JSON.parse(readFileSync(`${trajectories}/${name}/adapter/adapter_config.json`, 'utf8'));
    const stored = asStored({ config: parse(value), tensors: new Map() });
    expect(formatAdapterConfig(stored.config)).toBe(JSON.stringify(value, null, 2));
  });
});

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
