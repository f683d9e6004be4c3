import { z } from 'zod';
import { add } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { decoderFamily } from '../llama/decoder-family.ts';
import { feedForward, selfAttention } from '../llama/layer.ts';

const schema = z.object({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  pad_token_id: z.int().nullable().default(1),
  attention_bias: z.boolean().default(false),
});

/** OLMo 2 (Walsh et al., 2025): norms after attention and feed-forward network, and of all queries and keys. */
export const olmo2 = decoderFamily({
  modelType: 'olmo2',
  name: 'Olmo2',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  layer(network, config, path, hidden, inputs) {
    const { attention_bias: bias, rms_norm_eps } = config;
    const normalise = (norm: string, x: Value) => rmsNorm(network, norm, x, rms_norm_eps);
    const traits = { bias, outputBias: bias, normalise };
    const mixed = selfAttention(network, config, path, hidden, inputs, traits);
    const attended = add(hidden, normalise(`${path}.post_attention_layernorm`, mixed));
    const inner = feedForward(network, config, path, attended);
    return add(attended, normalise(`${path}.post_feedforward_layernorm`, inner));
  },
});
