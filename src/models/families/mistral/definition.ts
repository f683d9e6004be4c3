import { z } from 'zod';
import { size } from '../../config-fields.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { decoderFamily } from '../llama/definition.ts';
import { rotatedPairs } from '../llama/gguf.ts';

const schema = z.object({
  ...decoderFields,
  num_key_value_heads: size.default(8),
  max_position_embeddings: size.default(131072),
  sliding_window: size.nullable().default(4096),
});

/** Mistral (Jiang et al., 2023): Llama with attention to a window of tokens. */
export const mistral = decoderFamily({
  modelType: 'mistral',
  gguf: { architecture: 'llama', rows: rotatedPairs },
  name: 'Mistral',
  hasTokenHead: true,
  spanPrefix: 'model',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  attention: ({ sliding_window }) => ({ window: sliding_window ?? undefined }),
});
