import type { DecoderConfig } from './config.ts';

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
