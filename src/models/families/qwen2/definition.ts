import { z } from 'zod';
import { size } from '../../config-fields.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { decoderFamily } from '../llama/definition.ts';
import { checkLayerTypes, findWindow, layerTypes, typesWhere } from '../llama/layer-types.ts';

/** Fields of a Qwen config.json. */
export const qwenFields = {
  ...decoderFields,
  num_key_value_heads: size.nullable().default(32),
  max_position_embeddings: size.default(32768),
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullable().default(4096),
  max_window_layers: z.int().min(0).default(28),
  layer_types: layerTypes.nullish(),
};

/**
 * Adds `layer_types` and `sliding_window` to the parsed config: which layers see only a window of tokens, and the
 * window's length.
 */
export function withWindows<F extends z.infer<z.ZodObject<typeof qwenFields>>>(schema: z.ZodType<F>) {
  return schema
    .transform((fields) => {
      const sliding_window = fields.use_sliding_window ? fields.sliding_window : null;
      const slides = (i: number) => sliding_window !== null && i >= fields.max_window_layers;
      const layer_types = fields.layer_types ?? typesWhere(fields.num_hidden_layers, slides);
      return { ...fields, sliding_window, layer_types };
    })
    .superRefine(checkLayerTypes);
}

const schema = withWindows(z.object(qwenFields));

/** Qwen 2 and 2.5: Llama with biases for queries, keys and values, and a window in the last layers. */
export const qwen2 = decoderFamily({
  roles: { rescaled: 'query' },
  modelType: 'qwen2',
  gguf: { architecture: 'qwen2' },
  name: 'Qwen2',
  hasTokenHead: true,
  spanPrefix: 'transformer',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  attention: (config, layer) => ({ bias: true, window: findWindow(config, layer) }),
});
