import { z } from 'zod';
import {
  byOwnNames,
  encoderFields,
  labelsOf,
  layers,
  parseFields,
  probability,
  size,
} from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';

const OWN_NAMES = { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' };

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(30522),
    dim: size.default(768),
    n_layers: layers.default(6),
    n_heads: size.default(12),
    hidden_dim: size.default(3072),
    activation: z.string().default('gelu'),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0.1),
    qa_dropout: probability.default(0.1),
    seq_classif_dropout: probability.default(0.2),
    max_position_embeddings: size.default(512),
    pad_token_id: z.int().nullable().default(0),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(({ dim, n_heads }) => dim % n_heads === 0, { path: ['n_heads'], message: 'must divide dim' });

export type DistilBertConfig = z.infer<typeof schema> & CommonConfig;

/**
 * Parses a config.json of `model_type` distilbert. Fields keep Hugging Face's names. `sinusoidal_pos_embds`
 * is ignored, because it only affects the initial values of the position table.
 */
export function parseDistilBertConfig(json: unknown, where: string): DistilBertConfig {
  const fields = parseFields(schema, byOwnNames(json, OWN_NAMES), where);
  return {
    ...fields,
    ...labelsOf(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: fields.max_position_embeddings,
    initializerRange: fields.initializer_range,
    ...(fields.pad_token_id !== null && { padTokenId: fields.pad_token_id }),
  };
}
