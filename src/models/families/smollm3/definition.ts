import { z } from 'zod';
import { isObject } from '../../../support/options.ts';
import { size } from '../../config-fields.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { decoderFamily } from '../llama/definition.ts';
import { rotatedPairs } from '../llama/gguf.ts';
import { checkLayerTypes, findWindow, layerTypes, typesWhere } from '../llama/layer-types.ts';

const schema = z
  .object({
    ...decoderFields,
    num_key_value_heads: size.nullable().default(4),
    max_position_embeddings: size.default(32768),
    pad_token_id: z.int().nullable().default(128004),
    tie_word_embeddings: z.boolean().default(true),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    use_sliding_window: z.boolean().default(false),
    sliding_window: size.nullable().default(null),
    /** 1 for a layer with rotary positions, 0 for a layer without. */
    no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
    no_rope_layer_interval: size.default(4),
    layer_types: layerTypes.nullish(),
  })
  .transform((fields) => {
    const { num_hidden_layers: count, no_rope_layer_interval: interval, use_sliding_window: slides } = fields;
    const no_rope_layers =
      fields.no_rope_layers ?? Array.from({ length: count }, (_, i) => Number((i + 1) % interval !== 0));
    const sliding_window = slides ? fields.sliding_window : null;
    const hasWindow = (i: number) => sliding_window !== null && no_rope_layers[i] === 0;
    return {
      ...fields,
      no_rope_layers,
      sliding_window,
      layer_types: fields.layer_types ?? typesWhere(count, hasWindow),
    };
  })
  .superRefine(checkLayerTypes)
  .refine(({ no_rope_layers, num_hidden_layers }) => no_rope_layers.length >= num_hidden_layers, {
    path: ['no_rope_layers'],
    message: 'must name every layer',
  });

/** The default base frequency of RoPE. */
const THETA = 2_000_000;

/** SmolLM3 (Hugging Face, 2025): Llama, with some layers that have no positions. */
export const smolLm3 = decoderFamily({
  modelType: 'smollm3',
  gguf: { architecture: 'smollm3', rows: rotatedPairs },
  name: 'SmolLM3',
  hasTokenHead: true,
  spanPrefix: 'transformer',
  parseConfig: (json, where) =>
    parseDecoderConfig(schema, isObject(json) ? { rope_theta: THETA, ...json } : json, where),
  attention: (config, layer) => ({
    bias: config.attention_bias,
    outputBias: config.attention_bias,
    window: findWindow(config, layer),
    rotary: config.no_rope_layers[layer] === 1 ? config.rotary : undefined,
  }),
});
