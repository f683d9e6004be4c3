import { describe, expect, it } from 'vitest';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import {
  asStored,
  type PeftAdapterConfigInput,
  parseAdapterConfig,
} from '../../methods/tuners/low-rank/peft-config.ts';
import { NO_TARGETS } from '../../methods/tuners/peft/settings.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { continuedConfig } from './read-run.ts';

const BASE = { model: 'm', adapter: 'a', data: { train: 't', text: 0, label: 1 }, output: 'o' };
const LORA: PeftAdapterConfigInput = {
  peft_type: 'LORA',
  r: 16,
  lora_alpha: 32,
  lora_dropout: 0.1,
  target_modules: ['query', 'value'],
  modules_to_save: ['classifier', 'score', 'pooler'],
  rank_pattern: { 'layer.0.query': 4 },
};
const ADALORA: PeftAdapterConfigInput = {
  peft_type: 'ADALORA',
  target_modules: '.*query',
  init_r: 6,
  target_r: 3,
  tinit: 5,
  orth_reg_weight: 0.2,
  rank_pattern: { 'q.lora_E': [true] },
};

const stored = (adapter: PeftAdapterConfigInput): StoredAdapter =>
  asStored({ config: parseAdapterConfig(adapter, 'test'), tensors: new Map() });
const continued = (method: 'lora' | 'adalora', section: object, adapter: PeftAdapterConfigInput) =>
  continuedConfig(parseRunConfig({ ...BASE, method, [method]: section }, 'test'), stored(adapter));

describe('the config of a continued adapter', () => {
  it('takes missing keys from the adapter', () => {
    const config = continued('lora', { lora_dropout: 0 }, LORA);
    expect(config).toMatchObject({
      method: 'lora',
      adapter: 'a',
      lora: {
        r: 16,
        lora_alpha: 32,
        lora_dropout: 0,
        target_modules: ['query', 'value'],
        rank_pattern: { 'layer.0.query': 4 },
        bias: 'none',
      },
    });
    const adaptive = continued('adalora', { tinit: '10%', deltaT: 5 }, ADALORA);
    expect(adaptive).toMatchObject({
      adalora: {
        init_r: 6,
        target_r: 3,
        tinit: '10%',
        deltaT: 5,
        orth_reg_weight: 0.2,
        target_modules: '.*query',
      },
    });
  });

  it.each([
    ['lora', LORA],
    ['adalora', ADALORA],
  ] as const)('of %s stays the same, also after it was written', (method, adapter) => {
    const config = continued(method, {}, adapter);
    const peft = stored(adapter);
    expect(continuedConfig(config, peft)).toEqual(config);
    expect(continuedConfig(parseRunConfig(JSON.parse(JSON.stringify(config)), 'test'), peft)).toEqual(config);
  });

  it.each([
    [
      'lora',
      { r: 16, lora_alpha: 32, target_modules: ['value', 'query'], modules_to_save: ['pooler'] },
      LORA,
    ],
    ['lora', { exclude_modules: undefined, alpha_pattern: {}, rank_pattern: { 'layer.0.query': 4 } }, LORA],
    ['adalora', { init_r: 6, target_modules: '.*query', bias: 'none' }, ADALORA],
  ] as const)("may repeat the adapter's values (%s, %j)", (method, section, adapter) => {
    expect(() => continued(method, section, adapter)).not.toThrow();
  });

  it.each([
    // Also for a key that is set to its default value.
    ['lora', { r: 8 }, LORA, 'lora.r must be 16, as in the adapter, got 8. Remove the key.'],
    ['lora', { lora_alpha: 16 }, LORA, 'lora.lora_alpha must be 32'],
    ['lora', { target_modules: ['query'] }, LORA, 'lora.target_modules must be ["query","value"]'],
    ['lora', { modules_to_save: ['embeddings'] }, LORA, 'lora.modules_to_save must be'],
    ['lora', { rank_pattern: {} }, LORA, 'lora.rank_pattern must be {"layer.0.query":4}'],
    ['lora', { bias: 'all', use_rslora: true }, LORA, 'lora.use_rslora must be false'],
    ['adalora', { init_r: 12, target_r: 8 }, ADALORA, 'adalora.target_r must be 3'],
    [
      'adalora',
      { target: 30 },
      ADALORA,
      'adalora.target does not apply when an adapter is continued, got 30. Remove the key.',
    ],
    ['adalora', {}, LORA, 'adapter: a is an adapter of method LORA, not adalora. Set method: lora.'],
    ['lora', {}, ADALORA, 'adapter: a is an adapter of method ADALORA, not lora. Set method: adalora.'],
    ['lora', {}, { peft_type: 'LORA', lora_alpha: -1 }, 'adapter: a: lora_alpha: '],
  ] as const)('of %s with %j must not contradict it', (method, section, adapter, message) => {
    expect(() => continued(method, section, adapter as PeftAdapterConfigInput)).toThrow(message);
  });
});

it('is not available for bottleneck adapters, which cannot be merged either', () => {
  const parsed = () => parseRunConfig({ ...BASE, method: 'houlsby' }, 'test');
  expect(parsed).toThrow(
    'or svd_lora, got houlsby. Such an adapter is trained in one run. Resume that run with more steps (--resume).',
  );
});

it.each(['full', 'bitfit'] as const)('is not available for %s', (method) => {
  expect(() => parseRunConfig({ ...BASE, method }, 'test')).toThrow(
    `or svd_lora, got ${method}. Merge the adapter`,
  );
});

it('an adapter without modules is rejected', () => {
  const frozen = {
    config: { peft_type: 'LORA', target_modules: NO_TARGETS },
    tensors: new Map(),
    baseModel: null,
  };
  expect(() => continuedConfig(parseRunConfig(BASE, 'test'), frozen)).toThrow(
    'adapter: a adapts no module, because its run kept a frozen model. Remove the key `adapter`',
  );
});

it('an adapter of a kind that no method continues is rejected', () => {
  const bitFit = { config: { peft_type: 'BITFIT' }, tensors: new Map(), baseModel: null };
  expect(() => continuedConfig(parseRunConfig({ ...BASE, method: 'lora' }, 'test'), bitFit)).toThrow(
    'adapter: a is an adapter of method BITFIT, not lora. Training cannot continue from such an adapter. Merge it (adalora export --as merged) and set model to the result.',
  );
});

it('an adapter of a kind that cannot be merged either is rejected without that advice', () => {
  const houlsby = {
    config: { model_class: 'BertModel', config: {} },
    tensors: new Map(),
    baseModel: null,
  };
  expect(() => continuedConfig(parseRunConfig({ ...BASE, method: 'lora' }, 'test'), houlsby)).toThrow(
    'adapter: a is an adapter of method BOTTLENECK, not lora. Training cannot continue from such an adapter.',
  );
});
