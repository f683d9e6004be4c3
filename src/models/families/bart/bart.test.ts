import { describe, expect, it } from 'vitest';
import { dropoutSites } from '../../../../tests/support/dropout-sites.ts';
import { scoreLoss, sequenceModel } from '../../../program/objectives/sequence-loss.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import type { HeadKind } from '../../heads/registry.ts';
import { bart } from './definition.ts';
import { parseBartConfig } from './model.ts';

const SIZES = {
  vocab_size: 11,
  d_model: 6,
  encoder_layers: 1,
  encoder_attention_heads: 3,
  encoder_ffn_dim: 8,
  decoder_layers: 2,
  decoder_attention_heads: 2,
  decoder_ffn_dim: 7,
  max_position_embeddings: 8,
};
const parse = (fields: object) => parseBartConfig({ ...SIZES, ...fields }, 'config.json');

/**
 * Encoder: embeddings, and one layer with two residuals. Decoder: embeddings, and two layers with three
 * residuals each.
 */
const base = { 0.1: 1 + 2 + 1 + 2 * 3, 0.2: 1 + 2 * 2, 0.3: 1 + 2 };

it.each<[HeadKind, Record<number, number>]>([
  ['SEQ_2_SEQ_LM', base],
  ['SEQ_CLS', { ...base, 0.4: 2 }],
  ['QUESTION_ANS', base],
])("dropout of %s is at transformers' sites", (head, expected) => {
  const probabilities = {
    dropout: 0.1,
    attention_dropout: 0.2,
    activation_dropout: 0.3,
    classifier_dropout: 0.4,
  };
  expect(dropoutSites({ model_type: 'bart', ...SIZES, ...probabilities }, head)).toEqual(expected);
});

describe('a config.json', () => {
  it('has the defaults of transformers: three labels, the sizes of BART-large', () => {
    const { numLabels, d_model, maxLength, decoderStartTokenId } = parseBartConfig({}, 'config.json');
    expect([numLabels, d_model, maxLength, decoderStartTokenId]).toEqual([3, 1024, 1024, 2]);
  });

  it.each([
    [{ decoder_attention_heads: 4 }, /must divide d_model\n.*decoder_attention_heads/],
    [{ encoder_layerdrop: 0.1 }, /set it to 0, which does not change predictions\n.*encoder_layerdrop/],
    [{ is_encoder_decoder: false }, /is_encoder_decoder/],
  ])('with %j is rejected', (fields, message) => expect(() => parse(fields)).toThrow(message));

  it('with several end tokens in a text is rejected if the state of one is classified', () => {
    const config = parse({ eos_token_id: [2, 3] });
    expect(() => tokenModel('SEQ_2_SEQ_LM')(bart, config)).not.toThrow();
    expect(() => sequenceModel(bart, config, scoreLoss)).toThrow(/eos_token_id must .*got \[2,3\]/s);
  });
});
