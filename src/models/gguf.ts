import type { CommonConfig } from './model-definition.ts';

/** How llama.cpp stores the decoders of a `model_type`. */
export interface GgufFamily {
  /** Its name of the architecture, `general.architecture`. */
  architecture: string;
  /** Its names of a layer's linear modules, by their paths in the layer. */
  modules: Readonly<Record<string, string>>;
  /** For each row of a module's weight there, the row in Hugging Face's weight. Undefined if they are the same. */
  rows?(module: string, config: CommonConfig): Uint32Array | undefined;
}

/** The output projection, outside of the layers. A model with tied weights has no such tensor. */
export const GGUF_OUTPUT = { module: 'lm_head', name: 'output' } as const;

const LLAMA_MODULES = {
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/** Families by `model_type`. Those with `rotatedPairs` turn neighboring features in llama.cpp, and halves here. */
const FAMILIES: Readonly<Record<string, GgufFamily>> = {
  llama: { architecture: 'llama', modules: LLAMA_MODULES, rows: rotatedPairs },
  mistral: { architecture: 'llama', modules: LLAMA_MODULES, rows: rotatedPairs },
  smollm3: { architecture: 'smollm3', modules: LLAMA_MODULES, rows: rotatedPairs },
  qwen2: { architecture: 'qwen2', modules: LLAMA_MODULES },
  qwen3: { architecture: 'qwen3', modules: LLAMA_MODULES },
  gemma2: { architecture: 'gemma2', modules: LLAMA_MODULES },
  gemma3_text: { architecture: 'gemma3', modules: LLAMA_MODULES },
  olmo2: { architecture: 'olmo2', modules: LLAMA_MODULES },
  phi3: {
    architecture: 'phi3',
    modules: {
      'self_attn.qkv_proj': 'attn_qkv',
      'self_attn.o_proj': 'attn_output',
      'mlp.gate_up_proj': 'ffn_up',
      'mlp.down_proj': 'ffn_down',
    },
  },
  gpt2: {
    architecture: 'gpt2',
    modules: {
      'attn.c_attn': 'attn_qkv',
      'attn.c_proj': 'attn_output',
      'mlp.c_fc': 'ffn_up',
      'mlp.c_proj': 'ffn_down',
    },
  },
  gpt_neox: {
    architecture: 'gptneox',
    modules: {
      'attention.query_key_value': 'attn_qkv',
      'attention.dense': 'attn_output',
      'mlp.dense_h_to_4h': 'ffn_up',
      'mlp.dense_4h_to_h': 'ffn_down',
    },
    rows: fusedByPart,
  },
};

/** The families that {@link ggufFamily} knows, by `model_type`. */
export const GGUF_MODEL_TYPES: readonly string[] = Object.keys(FAMILIES);

/** How llama.cpp stores a `model_type`. Undefined for an unknown one. */
export function ggufFamily(modelType: string): GgufFamily | undefined {
  return Object.hasOwn(FAMILIES, modelType) ? FAMILIES[modelType] : undefined;
}

interface HeadCounts {
  num_attention_heads: number;
  keyValueHeads: number;
  headSize: number;
}

/** Features i and i + size / 2 of a head of queries or keys become neighbors. */
function rotatedPairs(module: string, config: CommonConfig): Uint32Array | undefined {
  const { num_attention_heads, keyValueHeads, headSize } = config as CommonConfig & HeadCounts;
  const heads = { attn_q: num_attention_heads, attn_k: keyValueHeads }[module];
  if (heads === undefined) return undefined;
  return Uint32Array.from({ length: heads * headSize }, (_, row) => {
    const feature = row % headSize;
    const half = feature % 2;
    return row - feature + half * (headSize / 2) + (feature - half) / 2;
  });
}

/** The query, key and value of each head become three blocks: all queries, all keys, all values. */
function fusedByPart(module: string, config: CommonConfig): Uint32Array | undefined {
  if (module !== 'attn_qkv') return undefined;
  const { num_attention_heads: heads, headSize } = config as CommonConfig & HeadCounts;
  return Uint32Array.from({ length: 3 * heads * headSize }, (_, row) => {
    const part = Math.floor(row / (heads * headSize));
    const head = Math.floor(row / headSize) % heads;
    return (head * 3 + part) * headSize + (row % headSize);
  });
}
