import { describe, expect, it } from 'vitest';
import { TASK_NAMES } from '../../../tasks/registry.ts';
import { parseRunConfig } from './parse-run-config.ts';

const BASE = { model: 'm', output: 'o' };
const CAUSAL = { ...BASE, task: 'causal_lm', data: { train: 'a.txt' } };
const MASKED = { ...BASE, task: 'masked_lm', data: { train: 'a.txt', validation: 'b.txt' } };
const parse = (config: object) => parseRunConfig(config, 'x');

describe('a config of a language model', () => {
  it('has its own defaults', () => {
    expect(parse(CAUSAL)).toMatchObject({
      model_init: 'checkpoint',
      data: { train: 'a.txt', sample_by: 'document', completion_only_loss: true, packing: true },
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
        'x: `data.label` is not a known key. It is a key of task single_label_classification, regression, multi_label_classification or sentence_embedding.',
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
      { ...BASE, data: { train: 'a', text: 0, label: 1, whole_word_mask: true } },
      ['x: `data.whole_word_mask` is not a known key. It is a key of task masked_lm.'],
    ],
    [
      { ...BASE, task: 'causal_ml', data: { train: 'a', packing: 1 } },
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
