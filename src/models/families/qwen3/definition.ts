import { z } from 'zod';
import { size } from '../../config-fields.ts';
import { parseDecoderConfig } from '../llama/config.ts';
import { normOfHeads } from '../llama/decoder-model.ts';
import { decoderFamily } from '../llama/definition.ts';
import { findWindow } from '../llama/layer-types.ts';
import { qwenFields, withWindows } from '../qwen2/definition.ts';

const schema = withWindows(
  z.object({ ...qwenFields, head_dim: size.default(128), attention_bias: z.boolean().default(false) }),
);

/** Qwen 3: Qwen 2 without the biases, but with norms of each head's queries and keys. */
export const qwen3 = decoderFamily({
  roles: { rescaled: 'query' },
  modelType: 'qwen3',
  gguf: { architecture: 'qwen3' },
  name: 'Qwen3',
  hasTokenHead: true,
  spanPrefix: 'transformer',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  attention(config, layer) {
    const { attention_bias: bias, headSize, rms_norm_eps } = config;
    const normalize = normOfHeads(headSize, rms_norm_eps);
    return { bias, outputBias: bias, window: findWindow(config, layer), normalize };
  },
});
