import { z } from 'zod';
import { decoderFields, parseDecoderConfig } from './config.ts';
import { decoderFamily } from './decoder-family.ts';

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
  attention: ({ attention_bias: bias }) => ({ bias, outputBias: bias }),
});
