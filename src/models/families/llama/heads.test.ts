import { expect, it } from 'vitest';
import { dropoutSites } from '../../../../tests/support/dropout-sites.ts';
import { spanModel } from '../../../program/objectives/span-model.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import { bindCheckpoint } from '../../bind-checkpoint.ts';
import type { HeadKind } from '../../heads/registry.ts';
import { llama } from './definition.ts';

const CONFIG = {
  model_type: 'llama',
  vocab_size: 9,
  hidden_size: 8,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: 8,
};
const parse = (fields: object = {}) => llama.parseConfig({ ...CONFIG, ...fields }, 'config.json');

it.each<[HeadKind, Record<number, number>]>([
  ['CAUSAL_LM', { 0.1: 3 }],
  ['SEQ_CLS', { 0.1: 3 }],
  ['TOKEN_CLS', { 0.1: 3, 0.2: 1 }],
  ['QUESTION_ANS', { 0.1: 3 }],
])("dropout of %s is at transformers' sites", (head, expected) => {
  const probabilities = { attention_dropout: 0.1, classifier_dropout: 0.2 };
  expect(dropoutSites({ ...CONFIG, ...probabilities }, head)).toEqual(expected);
});

it('finds the base model of a language model below the question answering head, which has another prefix', () => {
  const span = spanModel(llama, parse());
  const { parameters: stored } = tokenModel('CAUSAL_LM')(llama, parse());
  const source = {
    names: () => [...stored.keys()],
    info: (name: string) => ({
      dtype: 'F32',
      shape: stored.get(name) ?? [],
      file: 'model.safetensors',
      begin: 0,
      end: 0,
    }),
  };
  const bound = bindCheckpoint(span.parameters, source, {
    where: 'folder',
    baseModelPrefixes: [llama.baseModelPrefix, span.head.baseModelPrefix ?? []].flat(),
    mayInitialise: (name) => name.startsWith('qa_outputs.'),
  });
  const base = [...span.parameters.keys()].filter((name) => !name.startsWith('qa_outputs.'));
  expect(bound).toEqual(new Map(base.map((name) => [name, name.replace('transformer.', 'model.')])));
});

it('has one parameter for tied embeddings', () => {
  const names = (fields: object) => [...tokenModel('CAUSAL_LM')(llama, parse(fields)).parameters.keys()];
  expect(names({ tie_word_embeddings: true })).not.toContain('lm_head.weight');
  expect(names({})).toContain('lm_head.weight');
});
