import { z } from 'zod';
import { rmsNormModule } from '../../nn/rms-norm.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { decoderFamily } from '../llama/definition.ts';

const schema = z.object({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  pad_token_id: z.int().nullable().default(1),
  attention_bias: z.boolean().default(false),
});

/**
 * OLMo 2 (Walsh et al., 2025): norms after attention and after the feed-forward network, and norms of queries
 * and keys over all heads.
 */
export const olmo2 = decoderFamily({
  modelType: 'olmo2',
  gguf: { architecture: 'olmo2' },
  name: 'Olmo2',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  attention: ({ attention_bias: bias, rms_norm_eps }) => ({
    bias,
    outputBias: bias,
    normalize: (norm, x) => rmsNormModule(norm, x, rms_norm_eps),
  }),
  norms: {
    attention: { after: 'post_attention_layernorm' },
    feedForward: { after: 'post_feedforward_layernorm' },
  },
});
