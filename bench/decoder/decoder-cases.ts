import type { BenchCase } from '../shapes.ts';

/** A Llama-shaped decoder, its training batch, and the lengths of prompts and outputs in generation. */
export interface DecoderCase extends BenchCase {
  /** Tokens per prompt. */
  prompt: number;
  /** Number of tokens to generate after the prompt. */
  tokens: number;
  /** Number of texts that are generated at once, after one alone. */
  texts: number;
  /** Whether a training step is measured too. */
  trains: boolean;
}

const common = {
  model_type: 'llama',
  method: 'adalora',
  r: 12,
  batch: 2,
  length: 128,
  dropout: 0,
  head: 'CAUSAL_LM',
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  prompt: 64,
  tokens: 32,
  texts: 8,
  trains: true,
} as const;

const llama = {
  vocab_size: 32_000,
  max_position_embeddings: 2048,
  tie_word_embeddings: false,
  rms_norm_eps: 1e-5,
};

const small = {
  ...llama,
  hidden_size: 1024,
  intermediate_size: 2816,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  num_key_value_heads: 8,
};

export const DECODER_CASES: DecoderCase[] = [
  { ...common, name: 'decoder of 0.3 B', shape: small },
  // Attention reads a long cache for every token.
  {
    ...common,
    name: 'decoder of 0.3 B, prompt of 1,536',
    shape: small,
    prompt: 1536,
    texts: 2,
    trains: false,
  },
  {
    ...common,
    name: 'decoder of 1 B',
    shape: {
      ...llama,
      hidden_size: 2048,
      intermediate_size: 5632,
      num_hidden_layers: 20,
      num_attention_heads: 32,
      num_key_value_heads: 8,
    },
  },
];

/** The random tokens from `first` on of all prompts, one prompt after another. llama_decoder.py has the same. */
export function promptTokens(first: number, count: number, vocabSize: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => ((first + i) * 7919 + 1) % vocabSize);
}
