import { z } from 'zod';
import { decoderFields, parseDecoderConfig } from './config.ts';
import { decoderFamily } from './decoder-family.ts';
import { llamaLayer } from './layer.ts';

const schema = z.object({
  ...decoderFields,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/** Llama 1 to 3 (Touvron et al., 2023) as transformers computes them. */
export const llama = decoderFamily({
  modelType: 'llama',
  name: 'Llama',
  hasTokenHead: true,
  spanPrefix: 'transformer',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  layer(network, config, path, hidden, inputs) {
    const { attention_bias: bias } = config;
    return llamaLayer(network, config, path, hidden, inputs, { bias, outputBias: bias });
  },
});
