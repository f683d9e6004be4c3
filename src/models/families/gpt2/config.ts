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

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(50257),
    n_positions: size.default(1024),
    n_embd: size.default(768),
    n_layer: layers.default(12),
    n_head: size.default(12),
    n_inner: size.nullish(),
    activation_function: z.string().default('gelu_new'),
    resid_pdrop: probability.default(0.1),
    embd_pdrop: probability.default(0.1),
    attn_pdrop: probability.default(0.1),
    classifier_dropout: probability.nullish(),
    hidden_dropout: probability.nullish(),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    pad_token_id: z.int().nullish(),
    scale_attn_weights: z.boolean().default(true),
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    add_cross_attention: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(({ n_embd, n_head }) => n_embd % n_head === 0, {
    path: ['n_head'],
    message: 'must divide n_embd',
  });

export type Gpt2Config = z.infer<typeof schema> & CommonConfig;

/** Alternative field names that transformers accepts for GPT-2. */
const OTHER_NAMES = {
  hidden_size: 'n_embd',
  max_position_embeddings: 'n_positions',
  num_attention_heads: 'n_head',
  num_hidden_layers: 'n_layer',
};

/**
 * Parses a config.json of `model_type` gpt2. Fields keep Hugging Face's names. `reorder_and_upcast_attn` has
 * no effect in 32 bits.
 */
export function parseGpt2Config(json: unknown, where: string): Gpt2Config {
  const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
  return {
    ...fields,
    ...labelsOf(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: fields.n_positions,
    initializerRange: fields.initializer_range,
    padTokenId: fields.pad_token_id ?? undefined,
  };
}
