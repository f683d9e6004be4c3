import { z } from 'zod';
import { size } from '../../config-fields.ts';
import {
  cappedFields,
  cappedSettings,
  capValues,
  GEMMA_NORMS,
  gemmaAttention,
  gemmaFields,
  NORM_OFFSET,
} from '../gemma2/definition.ts';
import { parseDecoderConfig } from '../llama/config.ts';
import { normOfHeads } from '../llama/decoder-model.ts';
import { decoderFamily } from '../llama/definition.ts';
import { checkLayerTypes, FULL, SLIDING, typesWhere } from '../llama/layer-types.ts';
import { readRotaries, rotaryByLayer, withRotaryByLayer } from '../llama/rotary.ts';

const schema = z
  .object({
    ...gemmaFields,
    use_bidirectional_attention: z.literal(false).nullish(),
    max_position_embeddings: size.default(131_072),
    final_logit_softcapping: z.number().positive().nullable().default(null),
    sliding_window_pattern: size.default(6),
    rotary_by_layer: rotaryByLayer,
  })
  .transform((fields) => ({
    ...fields,
    hidden_act: fields.hidden_activation,
    layer_types:
      fields.layer_types ??
      typesWhere(fields.num_hidden_layers, (i) => (i + 1) % fields.sliding_window_pattern !== 0),
  }))
  .superRefine(checkLayerTypes);

const THETAS = { [FULL]: ['rope_theta', 1_000_000], [SLIDING]: ['rope_local_base_freq', 10_000] } as const;

function parseGemma3Config(json: unknown, where: string) {
  const { rope_parameters: rotary_by_layer, ...others } = withRotaryByLayer(json, THETAS, [FULL]);
  const rope_parameters = rotary_by_layer[FULL];
  const config = parseDecoderConfig(
    schema,
    { ...others, rope_scaling: null, rope_parameters, rotary_by_layer },
    where,
  );
  const rotaries = readRotaries(config.rotary_by_layer, config.headSize, config.max_position_embeddings);
  return { ...config, rotaries };
}

/**
 * Gemma 3 for text (Gemma Team, 2025): Gemma 2 with norms of queries and keys instead of bounded scores. Layers with
 * a window have a separate rotary base. As in transformers, `attn_logit_softcapping` has no effect.
 */
export const gemma3 = decoderFamily({
  roles: { rescaled: 'query' },
  modelType: 'gemma3_text',
  gguf: {
    architecture: 'gemma3',
    settings: (config) => ({
      ...cappedSettings(config),
      'rope.freq_base_swa': { float: config.rotary_by_layer[SLIDING].rope_theta },
    }),
    fields: (settings) => ({
      ...cappedFields(settings),
      rope_local_base_freq: settings['rope.freq_base_swa'] ?? 10_000,
    }),
  },
  name: 'Gemma3',
  baseName: 'Gemma3Text',
  parseConfig: parseGemma3Config,
  embeddingScale: ({ hidden_size }) => Math.sqrt(hidden_size),
  norms: GEMMA_NORMS,
  normOffset: NORM_OFFSET,
  finish: (logits, { final_logit_softcapping: cap }) => capValues(logits, cap),
  attention: (config, layer) => ({
    ...gemmaAttention(config, layer),
    rotary: config.rotaries[config.layer_types[layer]!],
    normalize: normOfHeads(config.headSize, config.rms_norm_eps, NORM_OFFSET),
  }),
});
