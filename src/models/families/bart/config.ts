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

/** Default number of labels, if a config does not name labels. */
const DEFAULT_LABELS = 3;

const layerdrop = z
  .number()
  .nullable()
  .default(0)
  .refine((value) => !value, {
    message: 'LayerDrop is not supported; set it to 0, which does not change predictions',
  });

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(50265),
    max_position_embeddings: size.default(1024),
    d_model: size.default(1024),
    encoder_layers: layers.default(12),
    encoder_attention_heads: size.default(16),
    encoder_ffn_dim: size.default(4096),
    encoder_layerdrop: layerdrop,
    decoder_layers: layers.default(12),
    decoder_attention_heads: size.default(16),
    decoder_ffn_dim: size.default(4096),
    decoder_layerdrop: layerdrop,
    activation_function: z.string().default('gelu'),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0),
    activation_dropout: probability.default(0),
    classifier_dropout: probability.default(0),
    init_std: z.number().positive().default(0.02),
    scale_embedding: z.boolean().default(false),
    pad_token_id: z.int().min(0).default(1),
    eos_token_id: z
      .union([z.int(), z.array(z.int())])
      .nullable()
      .default(2),
    decoder_start_token_id: z.int().min(0).default(2),
    is_encoder_decoder: z.literal(true).default(true),
    tie_word_embeddings: z.boolean().default(true),
  })
  .superRefine(({ d_model, encoder_attention_heads, decoder_attention_heads }, { addIssue }) => {
    for (const [name, heads] of Object.entries({ encoder_attention_heads, decoder_attention_heads })) {
      if (d_model % heads !== 0) addIssue({ code: 'custom', path: [name], message: 'must divide d_model' });
    }
  });

export type BartConfig = z.infer<typeof schema> & CommonConfig;

/** Alternative field names that transformers accepts for BART. */
const OTHER_NAMES = {
  hidden_size: 'd_model',
  num_attention_heads: 'encoder_attention_heads',
  num_hidden_layers: 'encoder_layers',
};

/** Parses a config.json of `model_type` bart. Fields keep Hugging Face's names. */
export function parseBartConfig(json: unknown, where: string): BartConfig {
  const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
  return {
    ...fields,
    ...labelsOf(fields, DEFAULT_LABELS),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: fields.max_position_embeddings,
    initializerRange: fields.init_std,
    padTokenId: fields.pad_token_id,
    decoderStartTokenId: fields.decoder_start_token_id,
  };
}
