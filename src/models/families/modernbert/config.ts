import { z } from 'zod';
import { encoderFields, labelsOf, layers, parseFields, probability, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';
import type { Rotary } from '../../nn/rotary.ts';
import {
  checkLayerTypes,
  FULL,
  type LayerType,
  layerTypes,
  SLIDING,
  typesWhere,
} from '../llama/layer-types.ts';
import { rotariesOf, rotaryByLayer, withRotaryByLayer } from '../llama/rotary-by-layer.ts';

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(50368),
    hidden_size: size.default(768),
    intermediate_size: size.default(1152),
    num_hidden_layers: layers.default(22),
    num_attention_heads: size.default(12),
    hidden_activation: z.string().default('gelu'),
    max_position_embeddings: size.default(8192),
    norm_eps: z.number().positive().default(1e-5),
    norm_bias: z.boolean().default(false),
    pad_token_id: z.int().nullable().default(50283),
    attention_bias: z.boolean().default(false),
    attention_dropout: probability.default(0),
    layer_types: layerTypes.nullish(),
    global_attn_every_n_layers: size.default(3),
    rope_parameters: rotaryByLayer,
    local_attention: size.min(2).default(128),
    embedding_dropout: probability.default(0),
    mlp_bias: z.boolean().default(false),
    mlp_dropout: probability.default(0),
    decoder_bias: z.boolean().default(true),
    classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
    classifier_dropout: probability.default(0),
    classifier_bias: z.boolean().default(false),
    classifier_activation: z.string().default('gelu'),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % (2 * num_attention_heads) === 0, {
    path: ['num_attention_heads'],
    message: 'must divide hidden_size, and the size of each head must be an even number',
  })
  .transform((fields) => ({
    ...fields,
    /** In a layer with a window, a token sees this many tokens in each direction. */
    sliding_window: Math.floor(fields.local_attention / 2),
    layer_types:
      fields.layer_types ??
      typesWhere(fields.num_hidden_layers, (i) => i % fields.global_attn_every_n_layers !== 0),
  }))
  .superRefine(checkLayerTypes);

export type ModernBertConfig = z.infer<typeof schema> &
  CommonConfig & { rotaries: Record<LayerType, Rotary> };

const THETAS = { [FULL]: ['global_rope_theta', 160_000], [SLIDING]: ['local_rope_theta', 10_000] } as const;

/** Parses a config.json of `model_type` modernbert. Fields keep Hugging Face's names. */
export function parseModernBertConfig(json: unknown, where: string): ModernBertConfig {
  const fields = parseFields(schema, withRotaryByLayer(json, THETAS, [FULL, SLIDING]), where);
  const { hidden_size, initializer_range: range, pad_token_id, max_position_embeddings: longest } = fields;
  return {
    ...fields,
    ...labelsOf(fields),
    rotaries: rotariesOf(fields.rope_parameters, hidden_size / fields.num_attention_heads, longest),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: longest,
    initializerRange: range,
    deviationOf(name) {
      if (name.startsWith('classifier.')) return hidden_size ** -0.5;
      return /(^|\.)(Wo|head\.dense|decoder)\./.test(name)
        ? range / Math.sqrt(2 * fields.num_hidden_layers)
        : range;
    },
    ...(pad_token_id !== null && { padTokenId: pad_token_id }),
  };
}
