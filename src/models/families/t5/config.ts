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

/** Maximum distance: beyond any use, but small enough for tables. */
const MAX_DISTANCE = 65_536;

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(32128),
    d_model: size.default(512),
    d_kv: size.default(64),
    d_ff: size.default(2048),
    num_layers: layers.default(6),
    num_decoder_layers: layers.nullish(),
    num_heads: size.default(8),
    /** At least 4, because a quarter of the buckets (in the decoder, half) hold one distance each. */
    relative_attention_num_buckets: z.int().min(4).max(MAX_DISTANCE).default(32),
    relative_attention_max_distance: z.int().min(2).max(MAX_DISTANCE).default(128),
    dropout_rate: probability.default(0.1),
    layer_norm_epsilon: z.number().positive().default(1e-6),
    initializer_factor: z.number().positive().default(1),
    feed_forward_proj: z
      .string()
      .regex(/^(gated-)?\w+$/)
      .default('relu'),
    pad_token_id: z.int().min(0).default(0),
    decoder_start_token_id: z.int().min(0).nullish(),
    is_encoder_decoder: z.literal(true).default(true),
    dense_act_fn: z.string().optional(),
    is_gated_act: z.boolean().optional(),
    tie_word_embeddings: z.boolean().default(true),
    scale_decoder_outputs: z.boolean().optional(),
  })
  .refine((config) => 2 * config.relative_attention_max_distance > config.relative_attention_num_buckets, {
    path: ['relative_attention_max_distance'],
    message: 'must be above half of relative_attention_num_buckets',
  });

type Fields = z.infer<typeof schema>;
export type T5Config = Fields &
  Required<Pick<Fields, 'dense_act_fn' | 'is_gated_act' | 'scale_decoder_outputs'>> &
  CommonConfig;

/** Alternative field names that transformers accepts for T5. */
const OTHER_NAMES = {
  hidden_size: 'd_model',
  num_attention_heads: 'num_heads',
  num_hidden_layers: 'num_layers',
  head_dim: 'd_kv',
};

/**
 * Parses a config.json of `model_type` t5. Fields keep Hugging Face's names. T5 scales the decoder's outputs and ties
 * its output layer to the embeddings; T5 v1.1 does neither. transformers 5 saves `tie_word_embeddings` as true for both,
 * so `scale_decoder_outputs` decides if it is present.
 */
export function parseT5Config(json: unknown, where: string): T5Config {
  const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
  const { initializer_factor: factor, d_kv, feed_forward_proj } = fields;
  const scaled = fields.scale_decoder_outputs ?? fields.tie_word_embeddings;
  // The first gated models were trained with the tanh approximation, although their config has "gelu".
  const act = feed_forward_proj === 'gated-gelu' ? 'gelu_new' : feed_forward_proj.replace('gated-', '');
  return {
    ...fields,
    dense_act_fn: fields.dense_act_fn ?? act,
    is_gated_act: fields.is_gated_act ?? feed_forward_proj.startsWith('gated-'),
    scale_decoder_outputs: scaled,
    tie_word_embeddings: scaled,
    ...labelsOf(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    // Positions are relative, so the length is not limited.
    maxLength: Number.POSITIVE_INFINITY,
    initializerRange: factor,
    // T5 does not divide scores by the square root of the head size. Its initial query weights contain this
    // factor instead.
    deviationOf(name, [, features]) {
      if (/^(shared|lm_head)\./.test(name)) return factor;
      if (name.includes('relative_attention_bias')) return factor / Math.sqrt(fields.d_model);
      return factor / Math.sqrt(name.endsWith('.q.weight') ? features! * d_kv : features!);
    },
    padTokenId: fields.pad_token_id,
    decoderStartTokenId: fields.decoder_start_token_id ?? fields.pad_token_id,
  };
}
