import type { GgufMetadata } from '../../../input/formats/encode-gguf.ts';
import type { GgufFormat } from '../../model-definition.ts';
import type { DecoderConfig } from './config.ts';
import type { LayerNorms } from './decoder-model.ts';

/** llama.cpp's names of the linear modules in a layer. */
export const GGUF_MODULES = {
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/**
 * The rows of families whose rotary positions turn neighboring features in llama.cpp, and halves here: features i and
 * i + size / 2 of a head of queries or keys become neighbors.
 */
export function rotatedPairs(module: string, config: DecoderConfig): Uint32Array | undefined {
  const { num_attention_heads, keyValueHeads, headSize } = config;
  const heads = { attn_q: num_attention_heads, attn_k: keyValueHeads }[module];
  if (heads === undefined) return undefined;
  return Uint32Array.from({ length: heads * headSize }, (_, row) => {
    const feature = row % headSize;
    const half = feature % 2;
    return row - feature + half * (headSize / 2) + (feature - half) / 2;
  });
}

/** The norms of a whole model in llama.cpp, and its settings. */
export function wholeDecoder<Config extends DecoderConfig>(
  { attention, feedForward }: LayerNorms,
  normOffset = 0,
  more: (config: Config) => GgufMetadata = () => ({}),
  moreFields: (settings: Readonly<Record<string, unknown>>) => object = () => ({}),
): GgufFormat<Config>['whole'] {
  const named = [
    [attention.before, 'attn_norm'],
    [attention.after, 'post_attention_norm'],
    [feedForward.before, 'ffn_norm'],
    [feedForward.after, 'post_ffw_norm'],
    ['self_attn.q_norm', 'attn_q_norm'],
    ['self_attn.k_norm', 'attn_k_norm'],
  ] as const;
  return {
    norms: Object.fromEntries(named.filter(([path]) => path !== undefined)),
    normOffset,
    settings: (config) => ({ ...decoderSettings(config), ...more(config) }),
    fields: (settings) => ({ ...fieldsFrom(settings), ...moreFields(settings) }),
    lacks: ({ rope_parameters: { rope_type: type } }, { rows }) =>
      type === 'default' || type === 'linear' || (type === 'llama3' && rows)
        ? undefined
        : `rotary positions of type ${type}`,
    frequencyFactors: ({ rope_parameters: rope, rotary: { frequencies } }) =>
      rope.rope_type === 'llama3'
        ? Float32Array.from(frequencies, (own, i) => rope.rope_theta ** (-i / frequencies.length) / own)
        : undefined,
  };
}

function decoderSettings(config: DecoderConfig): GgufMetadata {
  const { headSize, rope_parameters: rope } = config;
  return {
    context_length: config.max_position_embeddings,
    embedding_length: config.hidden_size,
    block_count: config.num_hidden_layers,
    feed_forward_length: config.intermediate_size,
    'attention.head_count': config.num_attention_heads,
    'attention.head_count_kv': config.keyValueHeads,
    'attention.key_length': headSize,
    'attention.value_length': headSize,
    'attention.layer_norm_rms_epsilon': { float: config.rms_norm_eps },
    'rope.dimension_count': headSize,
    'rope.freq_base': { float: rope.rope_theta },
    ...(rope.rope_type === 'linear' && {
      'rope.scaling.type': 'linear',
      'rope.scaling.factor': { float: rope.factor },
    }),
  };
}

/** The inverse of {@link decoderSettings}, with llama.cpp's defaults. */
function fieldsFrom(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const heads = settings['attention.head_count'];
  const isScaled = settings['rope.scaling.type'] === 'linear';
  return {
    max_position_embeddings: settings.context_length,
    hidden_size: settings.embedding_length,
    num_hidden_layers: settings.block_count,
    intermediate_size: settings.feed_forward_length,
    num_attention_heads: heads,
    num_key_value_heads: settings['attention.head_count_kv'] ?? heads,
    head_dim: settings['attention.key_length'] ?? Number(settings.embedding_length) / Number(heads),
    rms_norm_eps: settings['attention.layer_norm_rms_epsilon'],
    rope_theta: settings['rope.freq_base'] ?? 10_000,
    ...(isScaled && { rope_scaling: { rope_type: 'linear', factor: settings['rope.scaling.factor'] } }),
  };
}
