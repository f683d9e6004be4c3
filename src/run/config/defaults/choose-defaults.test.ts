import { expect, it } from 'vitest';
import { METHOD_NAMES } from '../../../tuners/registry.ts';
import { parseRunConfig } from '../parse-run-config.ts';
import type { ParsedConfig, RunConfig } from '../run-config.ts';
import { chooseDefaults, chooseEvaluation, describeChosen } from './choose-defaults.ts';
import { keepChoices } from './keep-choices.ts';
import { CHOSEN_TRAINING } from './policy.ts';

const BASE = { data: { train: 'tickets.csv', text: 'text', label: 'label' }, output: 'runs/a' };
/** The six matrices in a layer of MiniLM. */
const MINILM = modelOf(384, 6);

function modelOf(width: number, layers: number, isDecoder = false) {
  const linear = (inFeatures: number, outFeatures: number) => ({ inFeatures, outFeatures });
  const layer = [...Array(4).fill(linear(width, width)), linear(width, 4 * width), linear(4 * width, width)];
  return {
    linears: Array.from({ length: layers }, () => layer).flat(),
    definition: { isDecoder },
  } as unknown as Parameters<typeof chooseDefaults>[1]['model'];
}

function chosenFor(given: object, rows: number, { model = MINILM, tokens = 20 } = {}) {
  const parsed = parseRunConfig({ ...BASE, ...given }, 'test');
  const evaluated = chooseEvaluation(parsed, rows);
  const { config, chosen } = chooseDefaults(evaluated.config, { model, rows, tokens });
  return { config, chosen: [...evaluated.chosen, ...chosen].map(describeChosen) };
}

it('are printed with their reasons, and equal those set by hand', () => {
  const { config, chosen } = chosenFor({}, 425);
  expect(chosen).toEqual([
    'validation 10% (425 rows)',
    'eval_strategy epoch (there are rows to validate on)',
    'load_best_model_at_end true (eval_strategy epoch)',
    'prefer_later_model true (load_best_model_at_end)',
    'fall_back_to_majority true (load_best_model_at_end)',
    'learning_rate 5e-3 (AdaLoRA, 425 rows, width 384)',
    'num_train_epochs 8 (425 rows of about 20 tokens)',
    'per_device_train_batch_size 16 (425 rows)',
    'warmup_ratio 0.06 (AdaLoRA)',
    'lora_alpha 32 (AdaLoRA)',
  ]);
  expect(config.data.validation).toBe('10%');
  expect(config.adalora?.lora_alpha).toBe(32);
});

it('give as many steps for fewer rows, and no more time for longer texts and larger models', () => {
  const epochs = (...args: Parameters<typeof chosenFor>) =>
    chosenFor(...args).config.training.num_train_epochs;
  expect(epochs({}, 100)).toBe(34);
  expect(epochs({}, 400, { tokens: 128 })).toBeLessThan(8);
  expect(epochs({}, 400, { model: modelOf(768, 12) })).toBeLessThan(8);
  expect(epochs({}, 1e6)).toBe(1);
  const causal = { task: 'causal_lm', data: { train: 'a.txt' } };
  expect(epochs(causal, 10, { tokens: 512, model: modelOf(256, 4, true) })).toBe(3);
});

it('are a linear probe for a run of few steps, unless it continues an adapter or sets everything', () => {
  const probes = (training: object, options = {}) =>
    chosenFor({ training }, 400, options).config.training.linear_probe;
  expect(probes({})).toBeUndefined();
  expect(probes({}, { model: modelOf(1024, 24) })).toBe(true);
  expect(chosenFor({ training: { num_train_epochs: 2 } }, 400).chosen).toContain(
    'linear_probe true (400 rows are seen 2 times)',
  );
  expect(probes({ num_train_epochs: 2, linear_probe: false })).toBe(false);
  expect(probes({ num_train_epochs: 2, learning_rate: 1e-3 })).toBeUndefined();
  expect(probes({ max_steps: 5 })).toBeUndefined();
  const words = { task: 'masked_lm', data: { train: 'a.txt' } };
  expect(chosenFor(words, 10).config.training.linear_probe).toBeUndefined();
});

it('have a lower rate for a model that is wider than the measured ones', () => {
  const rate = (width: number) =>
    chosenFor({}, 400, { model: modelOf(width, 4) }).config.training.learning_rate;
  expect([256, 384, 768, 1024].map(rate)).toEqual([5e-3, 5e-3, 2.5e-3, 1.9e-3]);
});

it('for a decoder are the usual ones', () => {
  const decoder = modelOf(2048, 16, true);
  expect(chosenFor({ method: 'lora' }, 400, { model: decoder }).config).toMatchObject({
    training: { learning_rate: 2e-4 },
    lora: { r: 8, lora_alpha: 16 },
  });
});

it.each(METHOD_NAMES)('leave nothing open for %s, and stay the same when they are parsed again', (method) => {
  const { config } = chosenFor({ method }, 300);
  for (const key of CHOSEN_TRAINING) expect(config.training[key]).toBeDefined();
  const again = parseRunConfig(config, 'test');
  expect(again).toEqual(config);
  expect(
    chooseDefaults(chooseEvaluation(again, 300).config, { model: MINILM, rows: 300, tokens: 20 }),
  ).toEqual({
    config,
    chosen: [],
  });
});

it('are overridden by set values, and by defaults: huggingface', () => {
  const training = { learning_rate: 1e-4, max_steps: 7, eval_strategy: 'no', warmup_steps: 3 };
  const { config, chosen } = chosenFor({ training, adalora: { lora_alpha: 4 } }, 300);
  expect(config).toMatchObject({ training, adalora: { lora_alpha: 4 } });
  expect(config.data.validation).toBeUndefined();
  expect(chosen.map((line) => line.split(' ')[0])).toEqual([
    'load_best_model_at_end',
    'per_device_train_batch_size',
  ]);
  const literal = chosenFor({ defaults: 'huggingface' }, 300);
  expect(literal.chosen).toEqual([]);
  expect(literal.config).toMatchObject({
    training: {
      learning_rate: 2e-3,
      num_train_epochs: 3,
      eval_strategy: 'no',
      load_best_model_at_end: false,
    },
    adalora: { lora_alpha: 8 },
  });
});

it('fall back to no majority class with class weights, nor for numbers', () => {
  const training = { class_weights: 'balanced' };
  expect(chosenFor({ training }, 300).config.training.fall_back_to_majority).toBeUndefined();
  expect(chosenFor({ task: 'regression' }, 300).config.training.fall_back_to_majority).toBeUndefined();
});

it('hold nothing out of a few rows, nor if examples are not rows', () => {
  expect(chosenFor({}, 12).config).toMatchObject({ training: { eval_strategy: 'no' } });
  const causal = chosenFor({ task: 'causal_lm', data: { train: 'a.txt' } }, 500).config;
  expect(causal).toMatchObject({ training: { eval_strategy: 'no', load_best_model_at_end: false } });
});

it('hold nothing out of equal rows, with a notice', () => {
  const parsed = parseRunConfig(BASE, 'test');
  const { config, chosen } = chooseEvaluation(parsed, 300, () => false);
  expect(config.data.validation).toBeUndefined();
  expect(chosen.map(describeChosen)).toEqual([
    'eval_strategy no (too few of the 300 rows differ to hold some out)',
    'load_best_model_at_end false (eval_strategy no)',
  ]);
});

it('of a resumed run are unchanged, whatever the policy is now', () => {
  const before = {
    ...parseRunConfig({ ...BASE, defaults: 'huggingface' }, 'test'),
    defaults: 'chosen',
  } as RunConfig;
  const kept: ParsedConfig = keepChoices(parseRunConfig(BASE, 'test'), before);
  expect(kept).toEqual(before);
  const longer = keepChoices(parseRunConfig({ ...BASE, training: { num_train_epochs: 9 } }, 'test'), before);
  expect(longer.training).toEqual({ ...before.training, num_train_epochs: 9 });
  const held = chosenFor({}, 300).config;
  expect(keepChoices(parseRunConfig(BASE, 'test'), held)).toEqual(held);
});

it.each(METHOD_NAMES)('of a resumed run of %s have the same order in its files', (method) => {
  const begun = chosenFor({ method }, 300).config;
  const facts = { model: MINILM, rows: 300, tokens: 20 };
  for (const given of [{ ...BASE, method }, begun]) {
    const resumed = keepChoices(parseRunConfig(given, 'test'), begun);
    expect(JSON.stringify(chooseDefaults(resumed, facts).config)).toBe(JSON.stringify(begun));
  }
});
