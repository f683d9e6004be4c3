import { z } from 'zod';
import { parseDecoderConfig } from '../llama/config.ts';
import { decoderFamily } from '../llama/decoder-family.ts';
import { windowOf } from '../llama/layer-types.ts';
import { qwenFields, withWindows } from './config.ts';

const schema = withWindows(z.object(qwenFields));

/** Qwen 2 and 2.5: Llama with biases for queries, keys and values, and a window in the last layers. */
export const qwen2 = decoderFamily({
  roles: { rescaled: 'query' },
  modelType: 'qwen2',
  name: 'Qwen2',
  hasTokenHead: true,
  spanPrefix: 'transformer',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  attention: (config, layer) => ({ bias: true, window: windowOf(config, layer) }),
});
