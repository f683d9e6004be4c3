import { describe, expect, it } from 'vitest';
import { dropoutSites } from '../../../../tests/support/dropout-sites.ts';
import { adaptedModules } from '../../../methods/tuners/targets/adapted-modules.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import type { HeadKind } from '../../heads/registry.ts';
import { gpt2, parseGpt2Config } from './definition.ts';

const SIZES = { vocab_size: 11, n_embd: 6, n_layer: 2, n_head: 3, n_positions: 8 };
const parse = (fields: object) => parseGpt2Config({ ...SIZES, ...fields }, 'config.json');
const model = (fields: object) => tokenModel('CAUSAL_LM')(gpt2, parse(fields));

/** The embeddings, and two layers. A layer has dropout once in attention, and twice before a residual. */
const base = { 0.1: 1, 0.2: 2, 0.3: 4 };

it.each<[HeadKind, Record<number, number>]>([
  ['CAUSAL_LM', base],
  ['SEQ_CLS', base],
  ['TOKEN_CLS', { ...base, 0.4: 1 }],
  ['QUESTION_ANS', base],
])("dropout of %s is at transformers' sites", (head, expected) => {
  const probabilities = { embd_pdrop: 0.1, attn_pdrop: 0.2, resid_pdrop: 0.3, classifier_dropout: 0.4 };
  expect(dropoutSites({ model_type: 'gpt2', ...SIZES, ...probabilities }, head)).toEqual(expected);
});

describe('a config.json', () => {
  it('has the defaults of transformers, and may have the common names', () => {
    const { n_embd, n_head, n_layer, maxLength, padTokenId } = parseGpt2Config(
      { hidden_size: 48, n_embd: 24, num_hidden_layers: 5 },
      'config.json',
    );
    expect([n_embd, n_head, n_layer, maxLength, padTokenId]).toEqual([48, 12, 5, 1024, undefined]);
  });

  it.each([
    [{ n_head: 4 }, /must divide n_embd\n.*n_head/],
    [{ add_cross_attention: true }, /add_cross_attention/],
  ])('with %j is rejected', (fields, message) => expect(() => parse(fields)).toThrow(message));

  it('with an unknown activation is rejected by its own key', () =>
    expect(() => model({ activation_function: 'gelo' })).toThrow(/`activation_function` is "gelo", .*gelu/s));
});

describe('the scores of words', () => {
  const paths = (fields: object, target_modules: string) =>
    adaptedModules(model(fields), { target_modules }, []).map(({ path }) => path);

  it('are products with the embeddings, which are one parameter', () => {
    expect(model({}).parameters.has('lm_head.weight')).toBe(false);
  });

  it('have a module if not tied, which all-linear excludes and its name selects', () => {
    const untied = { tie_word_embeddings: false };
    expect(paths(untied, 'all-linear')).toEqual(paths({}, 'all-linear'));
    expect(paths(untied, 'lm_head')).toEqual(['lm_head']);
  });
});
