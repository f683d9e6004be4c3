import { describe, expect, it } from 'vitest';
import { dropoutSites } from '../../tests/support/dropout-sites.ts';
import type { HeadKind } from './heads/registry.ts';
import { modelFamily } from './registry.ts';

const SIZES = {
  vocab_size: 11,
  hidden_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 8,
  max_position_embeddings: 16,
};
const BERT = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.2, classifier_dropout: 0.3 };
const DISTILBERT = {
  dropout: 0.1,
  attention_dropout: 0.2,
  seq_classif_dropout: 0.3,
  qa_dropout: 0.4,
  hidden_dim: 8,
};

function parse(fields: { model_type: string } & Record<string, unknown>) {
  const family = modelFamily(fields, 'config.json');
  return { family, config: family.parseConfig({ ...SIZES, ...fields }, 'config.json') };
}

const MODERNBERT = {
  embedding_dropout: 0.1,
  attention_dropout: 0.2,
  classifier_dropout: 0.3,
  mlp_dropout: 0.4,
};
const ALBERT = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.2, classifier_dropout_prob: 0.3 };
const SETTINGS: Record<string, object> = { albert: ALBERT, distilbert: DISTILBERT, modernbert: MODERNBERT };

/** 0.1: the embeddings, and two places per layer (DistilBERT: one). 0.2: the attention weights. */
const base = { 0.1: 1 + 2 * 2, 0.2: 2 };
const distilBase = { 0.1: 1 + 2, 0.2: 2 };
const modernBase = { 0.1: 1, 0.2: 2 * 2, 0.4: 2 };

// Number of dropout modules in transformers, by the config.json key that sets their probability.
it.each<[string, HeadKind, Record<number, number>]>([
  ['bert', 'SEQ_CLS', { ...base, 0.3: 1 }],
  ['bert', 'TOKEN_CLS', { ...base, 0.3: 1 }],
  ['bert', 'QUESTION_ANS', base],
  ['bert', 'MASKED_LM', base],
  ['roberta', 'SEQ_CLS', { ...base, 0.3: 2 }],
  ['roberta', 'TOKEN_CLS', { ...base, 0.3: 1 }],
  ['roberta', 'QUESTION_ANS', base],
  ['xlm-roberta', 'MASKED_LM', base],
  ['electra', 'SEQ_CLS', { ...base, 0.3: 2 }],
  ['electra', 'TOKEN_CLS', { ...base, 0.3: 1 }],
  ['electra', 'QUESTION_ANS', base],
  ['electra', 'MASKED_LM', base],
  ['mpnet', 'SEQ_CLS', { ...base, 0.1: base[0.1] + 2 }],
  ['mpnet', 'TOKEN_CLS', { ...base, 0.1: base[0.1] + 1 }],
  ['mpnet', 'QUESTION_ANS', base],
  ['mpnet', 'MASKED_LM', base],
  // ALBERT's feed-forward network has no dropout.
  ['albert', 'SEQ_CLS', { ...base, 0.1: 1 + 2, 0.3: 1 }],
  ['albert', 'TOKEN_CLS', { ...base, 0.1: 1 + 2, 0.3: 1 }],
  ['albert', 'MASKED_LM', { ...base, 0.1: 1 + 2 }],
  ['modernbert', 'SEQ_CLS', { ...modernBase, 0.3: 1 }],
  ['modernbert', 'QUESTION_ANS', { ...modernBase, 0.3: 1 }],
  ['modernbert', 'MASKED_LM', modernBase],
  ['distilbert', 'SEQ_CLS', { ...distilBase, 0.3: 1 }],
  ['distilbert', 'TOKEN_CLS', { ...distilBase, 0.1: 1 + 2 + 1 }],
  ['distilbert', 'QUESTION_ANS', { ...distilBase, 0.4: 1 }],
  ['distilbert', 'MASKED_LM', distilBase],
])('dropout of %s, %s', (model_type, head, expected) => {
  const settings = SETTINGS[model_type] ?? BERT;
  expect(dropoutSites({ model_type, ...SIZES, ...settings }, head)).toEqual(expected);
});

it('dropout before a classifier is that of the hidden states if the config names none', () => {
  const fields = { model_type: 'roberta', ...SIZES, ...BERT, classifier_dropout: null };
  expect(dropoutSites(fields, 'SEQ_CLS')).toEqual({ ...base, 0.1: base[0.1] + 2 });
});

describe('a config.json', () => {
  it.each([
    ['bert', {}, 16],
    ['electra', {}, 16],
    ['distilbert', {}, 16],
    ['roberta', {}, 14],
    ['xlm-roberta', { pad_token_id: 3 }, 12],
    ['mpnet', { pad_token_id: 0 }, 14],
  ])('of %s with %j leaves room for sequences', (model_type, fields, length) => {
    expect(parse({ model_type, ...fields }).config.maxLength).toBe(length);
  });

  it('of ModernBERT may have the keys of its first version', () => {
    const { config } = parse({
      model_type: 'modernbert',
      num_hidden_layers: 5,
      local_attention: 6,
      global_attn_every_n_layers: 2,
      global_rope_theta: 160_000,
      local_rope_theta: 10_000,
    });
    expect(config).toMatchObject({
      layer_types: [0, 1, 0, 1, 0].map((slides) => (slides ? 'sliding_attention' : 'full_attention')),
      sliding_window: 3,
      rope_parameters: {
        full_attention: { rope_theta: 160_000 },
        sliding_attention: { rope_theta: 10_000 },
      },
    });
  });

  it('of DistilBERT may have the names of the others', () => {
    expect(parse({ model_type: 'distilbert' }).config).toMatchObject({ dim: 6, n_heads: 3, n_layers: 2 });
  });

  it.each([
    ['bert', { is_decoder: true }, /only its encoder is supported\n.*is_decoder/],
    ['roberta', { add_cross_attention: true }, /only its encoder is supported\n.*add_cross_attention/],
    ['electra', { num_attention_heads: 4 }, /must divide hidden_size\n.*num_attention_heads/],
    ['modernbert', { num_attention_heads: 2 }, /an even number\n.*num_attention_heads/],
    ['modernbert', { layer_types: ['full_attention'] }, /must name num_hidden_layers, 2/],
    ['albert', { num_hidden_groups: 3 }, /must not exceed num_hidden_layers/],
    ['mpnet', { relative_attention_num_buckets: 8 }, />=32\n.*relative_attention_num_buckets/],
    ['distilbert', { num_attention_heads: 4 }, /must divide dim\n.*n_heads/],
    ['roberta', { pad_token_id: null }, /expected number, received null\n.*pad_token_id/],
    ['xlm-roberta', { pad_token_id: 15 }, /leaves no position.*\n.*pad_token_id/],
  ])('of %s with %j is rejected', (model_type, fields, message) => {
    expect(() => parse({ model_type, ...fields })).toThrow(message);
  });
});
