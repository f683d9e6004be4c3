import { z } from 'zod';
import { multiply, tanh } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { size } from '../../config-fields.ts';
import { type DecoderConfig, decoderFields, parseDecoderConfig } from '../llama/config.ts';
import type { LayerNorms } from '../llama/decoder-model.ts';
import { decoderFamily } from '../llama/definition.ts';
import { checkLayerTypes, findWindow, layerTypes, typesWhere } from '../llama/layer-types.ts';

/** Fields of a Gemma config.json. */
export const gemmaFields = {
  ...decoderFields,
  num_key_value_heads: size.default(4),
  head_dim: size.default(256),
  hidden_activation: z.string().default('gelu_pytorch_tanh'),
  max_position_embeddings: size.default(8192),
  pad_token_id: z.int().nullable().default(0),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: size.nullable().default(4096),
  layer_types: layerTypes.nullish(),
  final_logit_softcapping: z.number().positive().nullable().default(30),
};

const schema = z
  .object({
    ...gemmaFields,
    attn_logit_softcapping: z.number().positive().nullable().default(50),
  })
  .transform((fields) => ({
    ...fields,
    hidden_act: fields.hidden_activation,
    layer_types: fields.layer_types ?? typesWhere(fields.num_hidden_layers, (i) => i % 2 === 0),
  }))
  .superRefine(checkLayerTypes);

/** A norm multiplies by its weight plus this offset. */
export const NORM_OFFSET = 1;

/** Norms before and after both attention and the feed-forward network. */
export const GEMMA_NORMS: LayerNorms = {
  attention: { before: 'input_layernorm', after: 'post_attention_layernorm' },
  feedForward: { before: 'pre_feedforward_layernorm', after: 'post_feedforward_layernorm' },
};

/**
 * Gemma 2 (Gemma Team, 2024): norms before and after each sublayer, attention to a window in every second
 * layer, bounded scores.
 */
export const gemma2 = decoderFamily({
  roles: { rescaled: 'query' },
  modelType: 'gemma2',
  name: 'Gemma2',
  hasTokenHead: true,
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  gguf: {
    architecture: 'gemma2',
    settings: (config) => ({
      ...cappedSettings(config),
      attn_logit_softcapping: { float: config.attn_logit_softcapping ?? UNCAPPED },
    }),
    fields: (settings) => ({
      ...cappedFields(settings),
      attn_logit_softcapping: settings.attn_logit_softcapping ?? 50,
    }),
  },
  embeddingScale: ({ hidden_size }) => Math.sqrt(hidden_size),
  norms: GEMMA_NORMS,
  normOffset: NORM_OFFSET,
  finish: (logits, { final_logit_softcapping: cap }) => capValues(logits, cap),
  attention: (config, layer) => ({
    ...gemmaAttention(config, layer),
    adjust: (scores) => capValues(scores, config.attn_logit_softcapping),
  }),
});

/** A cap without effect. llama.cpp caps Gemma 2's scores in any case. */
const UNCAPPED = 1e6;

/** llama.cpp's names of the settings of both families. */
export function cappedSettings({ sliding_window, final_logit_softcapping }: GemmaConfig) {
  return {
    ...(sliding_window !== null && { 'attention.sliding_window': sliding_window }),
    ...(final_logit_softcapping !== null && { final_logit_softcapping: { float: final_logit_softcapping } }),
  };
}

/** Numbers of layers of the two models with 27 billion parameters, which llama.cpp knows by them. */
const LARGEST = [46, 62];

/** The fields of config.json for such settings. The files do not have the scale of the scores. */
export function cappedFields(settings: Readonly<Record<string, unknown>>) {
  const { block_count: count, embedding_length: size, final_logit_softcapping } = settings;
  const isLargest = LARGEST.includes(Number(count));
  return {
    sliding_window: settings['attention.sliding_window'] ?? null,
    final_logit_softcapping: final_logit_softcapping ?? null,
    query_pre_attn_scalar: isLargest
      ? Number(size) / Number(settings['attention.head_count'])
      : settings['attention.key_length'],
  };
}

type GemmaConfig = z.infer<z.ZodObject<typeof gemmaFields>> & DecoderConfig;

/** Attention options of a layer. */
export function gemmaAttention(config: GemmaConfig & Parameters<typeof findWindow>[0], layer: number) {
  const { attention_bias: bias, query_pre_attn_scalar } = config;
  return {
    bias,
    outputBias: bias,
    window: findWindow(config, layer),
    scale: 1 / Math.sqrt(query_pre_attn_scalar),
  };
}

/** Maps values smoothly into (-cap, cap). */
export function capValues(x: Value, cap: number | null): Value {
  return cap === null ? x : multiply(tanh(multiply(x, 1 / cap)), cap);
}
