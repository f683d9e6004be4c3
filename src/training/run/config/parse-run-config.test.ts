import { describe, expect, it } from 'vitest';
import { UserError } from '../../../support/user-error.ts';
import { TASK_NAMES } from '../../../tasks/registry.ts';
import { parseRunConfig } from './parse-run-config.ts';
import type { RunConfigInput } from './run-config.ts';
import { CHOSEN_TRAINING } from './training-section.ts';

const BASE: RunConfigInput = {
  model: 'bert-base-uncased',
  data: { train: 'train.tsv', text: 'sentence', label: 'label' },
  output: 'runs/a',
};
const VALIDATED = { ...BASE, data: { ...BASE.data, validation: 'dev.tsv' } };

function messageOf(config: object): string {
  try {
    parseRunConfig({ ...VALIDATED, ...config }, 'test');
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

it('limits ranks', () => {
  expect(messageOf({ adalora: { init_r: 2 ** 31 } })).toContain(
    'test: `adalora.init_r` must be at most 65536, got 2147483648.',
  );
  expect(messageOf({ method: 'lora', lora: { r: 1e15 } })).toContain(
    'test: `lora.r` must be at most 65536, got 1000000000000000.',
  );
});

describe('defaults', () => {
  it('of Hugging Face and PEFT are filled in', () => {
    expect(parseRunConfig({ ...BASE, defaults: 'huggingface' }, 'test')).toMatchInlineSnapshot(`
      {
        "adalora": {
          "beta1": 0.85,
          "beta2": 0.85,
          "bias": "none",
          "deltaT": 1,
          "init": "normal",
          "init_r": 12,
          "initial_lambda": 0,
          "lora_alpha": 8,
          "lora_dropout": 0,
          "orth_reg_weight": 0.5,
          "path_points": 1,
          "scale": "standard",
          "score": "sensitivity-uncertainty",
          "shrink": "at-final",
          "target_r": 8,
          "use_dora": false,
        },
        "base_dtype": "float32",
        "data": {
          "label": "label",
          "max_length": 128,
          "text": "sentence",
          "train": "train.tsv",
        },
        "defaults": "huggingface",
        "device": "cpu",
        "method": "adalora",
        "model": "bert-base-uncased",
        "model_init": "checkpoint",
        "output": "runs/a",
        "seed": 0,
        "task": "single_label_classification",
        "training": {
          "adam_beta1": 0.9,
          "adam_beta2": 0.999,
          "adam_epsilon": 1e-8,
          "eval_strategy": "no",
          "gradient_accumulation_steps": 1,
          "gradient_checkpointing": false,
          "greater_is_better": true,
          "group_by_length": true,
          "label_smoothing_factor": 0,
          "learning_rate": 0.002,
          "load_best_model_at_end": false,
          "logging_steps": 10,
          "lr_scheduler_type": "linear",
          "max_grad_norm": 1,
          "max_steps": -1,
          "metric_for_best_model": "accuracy",
          "num_train_epochs": 3,
          "per_device_eval_batch_size": 64,
          "per_device_train_batch_size": 32,
          "save_steps": 500,
          "save_total_limit": 2,
          "warmup_ratio": 0,
          "warmup_steps": 0,
          "weight_decay": 0,
        },
      }
    `);
  });

  it('depend on method, task and data', () => {
    const parse = (config: object) =>
      parseRunConfig({ ...BASE, ...config, defaults: 'huggingface' }, 'test').training;
    expect(parse({ method: 'lora' }).learning_rate).toBe(5e-4);
    expect(parse({ method: 'full' }).learning_rate).toBe(2e-5);
    expect(parse({ method: 'full', training: { learning_rate: 1 } }).learning_rate).toBe(1);
    expect(parse({ data: VALIDATED.data }).eval_strategy).toBe('epoch');
    expect(parse({ task: 'regression' }).metric_for_best_model).toBe('pearson');
    const byLoss = parse({ training: { metric_for_best_model: 'eval_loss' } });
    expect(byLoss).toMatchObject({ metric_for_best_model: 'loss', greater_is_better: false });
    const byOwn = parseRunConfig(
      { ...BASE, ...VALIDATED, training: { metric_for_best_model: 'my_loss' } },
      'test',
      ['my_loss'],
    );
    expect(byOwn.training.greater_is_better).toBe(true);
  });

  it('that depend on the rows and the model stay open', () => {
    const { training, adalora } = parseRunConfig(BASE, 'test');
    for (const key of [...CHOSEN_TRAINING, 'early_stopping_patience'])
      expect(training).not.toHaveProperty(key);
    expect(adalora).not.toHaveProperty('lora_alpha');
    const given = { learning_rate: 1, max_steps: 5, warmup_steps: 2, eval_strategy: 'no' };
    const set = parseRunConfig({ ...BASE, training: given, adalora: { lora_alpha: 1 } }, 'test');
    expect(set.training).toMatchObject({ ...given, num_train_epochs: 3, warmup_ratio: 0 });
    expect(set.adalora).toHaveProperty('lora_alpha', 1);
    expect(parseRunConfig(VALIDATED, 'test').training).toHaveProperty('eval_strategy', 'epoch');
  });

  it.each(['adalora', 'lora', 'full'] as const)('leave a resolved %s config unchanged', (method) => {
    const config = parseRunConfig({ ...VALIDATED, method, lora: { r: 4 } }, 'test');
    expect(parseRunConfig(config, 'test')).toEqual(config);
    expect(Object.keys(config).filter((key) => key === 'lora' || key === 'adalora')).toEqual(
      method === 'full' ? [] : [method],
    );
  });

  it.each(['lora', 'adalora', 'houlsby', 'training'])('replace an empty section: %s', (section) => {
    expect(parseRunConfig({ ...BASE, [section]: null }, 'test')).toEqual(parseRunConfig(BASE, 'test'));
  });

  it('replace null', () => {
    const config = { ...BASE, training: null, seed: null, data: { ...BASE.data, text_pair: null } };
    expect(parseRunConfig(config, 'test')).toEqual(parseRunConfig(BASE, 'test'));
  });
});

it('a key of another section is reported with its place', () => {
  expect(messageOf({ target_r: 8, data: { ...VALIDATED.data, seed: 1 } })).toMatchInlineSnapshot(`
    "test: \`data.seed\` is not a known key. seed belongs at the top level.
    test: \`target_r\` is not a known key. It is a key of adalora."
  `);
});

it.each([
  { defaults: 'huggingface', training: { eval_strategy: 'epoch' }, data: BASE.data },
  { training: { eval_strategy: 'steps' } },
  { training: { eval_steps: 5 } },
  {
    defaults: 'huggingface',
    training: { load_best_model_at_end: true, early_stopping_patience: 2 },
    data: BASE.data,
  },
  { training: { early_stopping_patience: 2, eval_strategy: 'no' } },
  { training: { warmup_ratio: 0.1, warmup_steps: 10 } },
  { training: { warmup_ratio: 0.1, lr_scheduler_type: 'constant' } },
  { training: { lr_scheduler_kwargs: { num_decay_steps: 2 } } },
  { training: { lr_scheduler_type: 'warmup_stable_decay' } },
  { training: { lr_scheduler_type: 'constant', warmup_steps: 3 } },
  { method: 'lora', lora: { init_lora_weights: 'loftq' }, base_dtype: 'int8' },
  { training: { metric_for_best_model: 'pearson' } },
  { training: { max_steps: 0 }, adalora: { tinit: '200%' } },
  { modle: 'x', training: { eval_strategy: 'steps' } },
])('rejects %j', (config) => {
  expect(messageOf(config)).toMatchSnapshot();
});

it('rejects metrics and options that need classes or a row of labels if the task has none', () => {
  const training = { class_weights: 'balanced', floor: true };
  const refused = (task: string) =>
    ['class_weights', 'floor'].filter((key) =>
      messageOf({ task, training }).includes(`training.${key}\` does not apply to task ${task}`),
    );
  expect(refused('regression')).toEqual(['class_weights']);
  expect(refused('causal_lm')).toEqual(['class_weights', 'floor']);
});

it("answers PEFT's keys with the keys that replace them", () => {
  const told = messageOf({ adalora: { r: 8, total_step: 100, task_type: 'SEQ_CLS' } });
  expect(told).toContain('`adalora.r` is not a known key. The rank is target_r. It starts at init_r.');
  expect(told).toContain(
    '`adalora.total_step` is not a known key. Remove it: the steps are counted from the data.',
  );
  expect(told).toContain('`adalora.task_type` is not a known key. Set task at the top level.');
});

it('rejects anything but an object', () => {
  expect(() => parseRunConfig(undefined, 'test')).toThrow(
    'test: `config` is required (a section with keys).',
  );
});

const PLAIN = { model: 'm', output: 'o' };
const CAUSAL = { ...PLAIN, task: 'causal_lm', data: { train: 'a.txt' } };
const MASKED = { ...PLAIN, task: 'masked_lm', data: { train: 'a.txt', validation: 'b.txt' } };
const parse = (config: object) => parseRunConfig(config, 'x');

describe('a config of a language model', () => {
  it('has its own defaults', () => {
    expect(parse(CAUSAL)).toMatchObject({
      model_init: 'checkpoint',
      data: { train: 'a.txt', sample_by: 'document', completion_only_loss: true, packing: false },
      training: { per_device_eval_batch_size: 8, eval_strategy: 'no' },
    });
    expect(parse(MASKED)).toMatchObject({
      data: {
        mlm_probability: 0.15,
        mask_replace_prob: 0.8,
        random_replace_prob: 0.1,
        whole_word_mask: false,
      },
      training: { metric_for_best_model: 'loss', greater_is_better: false, eval_strategy: 'epoch' },
    });
    for (const config of [CAUSAL, MASKED]) expect(parse(parse(config))).toEqual(parse(config));
  });

  it.each<[object, string[]]>([
    [
      { ...CAUSAL, data: { train: 'a', label: 'x', pakcing: false } },
      [
        'x: `data.label` is not a known key. It is a key of task single_label_classification, regression, multi_label_classification, sentence_embedding or reranking.',
        'x: `data.pakcing` is not a known key. Did you mean packing?',
      ],
    ],
    [
      { ...MASKED, data: { train: 'a', packing: true, mlm_probability: 0 } },
      [
        'x: `data.mlm_probability` must be greater than 0, got 0.',
        'x: `data.packing` is not a known key. It is a key of task causal_lm.',
      ],
    ],
    [
      { ...PLAIN, data: { train: 'a', text: 0, label: 1, whole_word_mask: true } },
      ['x: `data.whole_word_mask` is not a known key. It is a key of task masked_lm.'],
    ],
    [
      { ...CAUSAL, data: { train: 'a', validation: '3 folds' } },
      [
        'x: `data.validation` must be a file or a share such as 10% for task causal_lm, whose rows are not scored one by one, got "3 folds".',
      ],
    ],
    [
      { ...PLAIN, task: 'causal_ml', data: { train: 'a', packing: 1 } },
      [`x: \`task\` must be one of ${TASK_NAMES.join(', ')}, got "causal_ml". Did you mean causal_lm?`],
    ],
    [
      { ...CAUSAL, data: { train: 'a', messages: 'm', prompt: 'p' } },
      [
        'x: `data` mixes the keys of prompt and completion and of messages. Keep one: text, prompt and completion, prompt and choices, or messages.',
      ],
    ],
    [
      { ...MASKED, data: { train: 'a', mask_replace_prob: 0.8, random_replace_prob: 0.3 } },
      ['x: `data.random_replace_prob` and mask_replace_prob sum to 1.1. Their sum must be at most 1.'],
    ],
    [
      { ...CAUSAL, model_init: 'random', training: { metric_for_best_model: 'accuracy' } },
      [
        'x: `model_init` cannot be random with method adalora, because the adapter would belong to weights that are not saved. Set method: full.',
        'x: `training.metric_for_best_model` must be a metric of causal_lm (loss, perplexity), got "accuracy".',
      ],
    ],
    [{ ...CAUSAL, data: 'a.txt' }, ['x: `data` must be a section with keys, got "a.txt".']],
  ])('rejects %j', (config, messages) => {
    expect(() => parse(config)).toThrow(new RegExp(`^${messages.map(escaped).join('\n')}$`));
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
