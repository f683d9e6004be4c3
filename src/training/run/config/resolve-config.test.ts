import { expect, it } from 'vitest';
import { METHOD_NAMES } from '../../../methods/tuners/registry.ts';
import { affordableFolds } from './defaults/policy.ts';
import { parseRunConfig } from './parse-run-config.ts';
import {
  chooseDefaults,
  chooseScoring,
  describeChosen,
  keepChoices,
  type ScoringInputs,
} from './resolve-config.ts';
import type { ParsedConfig, RunConfig } from './run-config.ts';
import { CHOSEN_TRAINING } from './training-section.ts';

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

/** Rows that all differ, and a model without files of sentence-transformers. */
const factsOf = (rows: number): ScoringInputs => ({
  rows,
  model: { config: {}, definition: { heads: { FEATURE_EXTRACTION: {} } } } as ScoringInputs['model'],
  canHoldOut: () => true,
  canFold: () => true,
});

function chosenFor(given: object, rows: number, { model = MINILM, tokens = 20 } = {}) {
  const parsed = parseRunConfig({ ...BASE, ...given }, 'test');
  const evaluated = chooseScoring(parsed, factsOf(rows));
  const { config, chosen } = chooseDefaults(evaluated.config, { model, rows, tokens });
  return { config, chosen: [...evaluated.chosen, ...chosen].map(describeChosen) };
}

it('chosen values are printed with their reasons, and equal the same values in a config', () => {
  const { config, chosen } = chosenFor({}, 4250);
  expect(chosen).toEqual([
    'validation 10% (4,250 rows)',
    'eval_strategy epoch (there are rows to validate on)',
    'learning_rate 5e-3 (AdaLoRA, 4,250 rows, width 384)',
    'num_train_epochs 3 (4,250 rows of about 20 tokens)',
    'per_device_train_batch_size 16 (4,250 rows)',
    'warmup_ratio 0.06 (AdaLoRA)',
    'lora_alpha 32 (AdaLoRA)',
  ]);
  expect(config.data.validation).toBe('10%');
  expect(config.adalora?.lora_alpha).toBe(32);
});

it('cross-validate few rows, and classify their vectors', () => {
  const { config, chosen } = chosenFor({}, 425);
  expect(chosen.slice(0, 4)).toEqual([
    'pooling mean (425 rows)',
    'validation 3 folds (425 rows)',
    'eval_strategy no (3 folds)',
    'floor true (there are rows to judge by)',
  ]);
  expect(config.training).toMatchObject({ eval_strategy: 'no', load_best_model_at_end: false });
  const data = (given: object) => chosenFor(given, 425).config.data;
  const validated = data({ data: { ...BASE.data, validation: 'dev.csv' } });
  expect(validated).toMatchObject({ validation: 'dev.csv', pooling: 'mean' });
  expect(data({ data: { ...BASE.data, pooling: 'none' } })).toMatchObject({
    validation: '3 folds',
    pooling: 'none',
  });
  expect(data({ training: { early_stopping_patience: 2 } })).toMatchObject({
    validation: '10%',
    pooling: 'mean',
  });
  expect(data({ training: { label_smoothing_factor: 0.1 } })).not.toHaveProperty('pooling');
  for (const other of [
    { adapter: 'runs/b' },
    { model_init: 'random', method: 'full' },
    { defaults: 'huggingface' },
  ])
    expect(data(other)).not.toHaveProperty('pooling');
  const tags = { task: 'token_classification', data: { train: 'a.conll' } };
  expect(chosenFor(tags, 425).config.data).toEqual({
    ...parseRunConfig({ ...BASE, ...tags }, 'test').data,
    validation: '3 folds',
  });
});

it('chosen values give as many steps for fewer rows, and no more time for longer texts and larger models', () => {
  const epochs = (...args: Parameters<typeof chosenFor>) =>
    chosenFor(...args).config.training.num_train_epochs;
  expect(epochs({}, 1200)).toBe(8);
  expect(epochs({}, 1200, { tokens: 128 })).toBeLessThan(3);
  expect(epochs({}, 1200, { model: modelOf(768, 12) })).toBeLessThan(3);
  const vectors = { ...MINILM, layer: { inLoss: false, columns: 1, outputs: 2 } };
  expect([50, 100, 400, 1000].map((rows) => epochs({}, rows, { model: vectors }))).toEqual([20, 10, 3, 3]);
  expect(epochs({}, 1e6)).toBe(1);
  const causal = { task: 'causal_lm', data: { train: 'a.txt' } };
  const decoder = { tokens: 64, model: modelOf(256, 4, true) };
  expect([10, 60, 1000].map((rows) => epochs(causal, rows, decoder))).toEqual([10, 4, 3]);
});

it('a search trains as many folds as its queries need', () => {
  const [cheap, expensive] = [1e10, 1e13];
  expect([60, 300, 301, 600, 1000].map((queries) => affordableFolds(3, cheap, queries))).toEqual([
    3, 3, 3, 2, 1,
  ]);
  expect([affordableFolds(3, cheap), affordableFolds(3, expensive, 60)]).toEqual([3, 1]);
});

it('chosen values have a lower rate for a model that is wider than the measured ones', () => {
  const rate = (width: number) =>
    chosenFor({}, 400, { model: modelOf(width, 4) }).config.training.learning_rate;
  expect([256, 384, 768, 1024].map(rate)).toEqual([5e-3, 5e-3, 2.5e-3, 1.9e-3]);
  const vectors = { ...MINILM, layer: { inLoss: false, columns: 1, outputs: 2 } };
  expect(chosenFor({}, 400, { model: vectors }).config.training.learning_rate).toBe(1e-2);
});

it('chosen values for a decoder are the usual ones', () => {
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
    chooseDefaults(chooseScoring(again, factsOf(300)).config, { model: MINILM, rows: 300, tokens: 20 }),
  ).toEqual({
    config,
    chosen: [],
  });
});

it('chosen values are overridden by set values, and by defaults: huggingface', () => {
  const training = { learning_rate: 1e-4, max_steps: 7, eval_strategy: 'no', warmup_steps: 3 };
  const { config, chosen } = chosenFor({ training, adalora: { lora_alpha: 4 } }, 300);
  expect(config).toMatchObject({ training, adalora: { lora_alpha: 4 } });
  expect(config.data.validation).toBeUndefined();
  expect(chosen.map((line) => line.split(' ')[0])).toEqual(['pooling', 'per_device_train_batch_size']);
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

it('chosen values have no floor with class weights or a best model, nor without rows to judge by', () => {
  const floor = (training: object) => chosenFor({ training }, 300).config.training.floor;
  expect(floor({ class_weights: 'balanced' })).toBeUndefined();
  expect(floor({ load_best_model_at_end: true })).toBeUndefined();
  expect(floor({ eval_strategy: 'no' })).toBeUndefined();
  expect(floor({ floor: false })).toBe(false);
  // A probe of vectors is another kind of files than the head of a run with many rows.
  expect(chosenFor({}, 4250).config.training.floor).toBeUndefined();
  const pooled = { data: { ...BASE.data, pooling: 'mean' } };
  expect(chosenFor(pooled, 4250).config.training.floor).toBe(true);
  expect(
    chosenFor({ task: 'causal_lm', data: { train: 'a.txt' } }, 300).config.training.floor,
  ).toBeUndefined();
});

it('chosen values hold nothing out if examples are not rows', () => {
  const causal = chosenFor({ task: 'causal_lm', data: { train: 'a.txt' } }, 500).config;
  expect(causal).toMatchObject({ training: { eval_strategy: 'no', load_best_model_at_end: false } });
});

it('chosen values hold nothing out of equal rows, with a notice', () => {
  const parsed = parseRunConfig(BASE, 'test');
  const same = { ...factsOf(300), canHoldOut: () => false, canFold: () => false };
  const { config, chosen } = chooseScoring(parsed, same);
  expect(config.data.validation).toBeUndefined();
  expect(chosen.map(describeChosen)).toEqual([
    'pooling mean (300 rows)',
    'eval_strategy no (too few of the 300 rows differ to hold some out)',
  ]);
});

it('chosen values of a resumed run are unchanged, whatever the policy is now', () => {
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

it.each(METHOD_NAMES)('chosen values of a resumed run of %s have the same order in its files', (method) => {
  const begun = chosenFor({ method }, 300).config;
  const facts = { model: MINILM, rows: 300, tokens: 20 };
  for (const given of [{ ...BASE, method }, begun]) {
    const resumed = keepChoices(parseRunConfig(given, 'test'), begun);
    expect(JSON.stringify(chooseDefaults(resumed, facts).config)).toBe(JSON.stringify(begun));
  }
});
