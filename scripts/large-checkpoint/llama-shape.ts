export interface LlamaSize {
  layers: number;
  hidden: number;
  inner: number;
  vocab: number;
  heads: number;
  kvHeads: number;
}

/** The shapes of all tensors in a Llama checkpoint. */
export function llamaShapes({
  layers,
  hidden,
  inner,
  vocab,
  heads,
  kvHeads,
}: LlamaSize): Map<string, number[]> {
  const keys = (hidden / heads) * kvHeads;
  const layer = {
    'input_layernorm.weight': [hidden],
    'mlp.down_proj.weight': [hidden, inner],
    'mlp.gate_proj.weight': [inner, hidden],
    'mlp.up_proj.weight': [inner, hidden],
    'post_attention_layernorm.weight': [hidden],
    'self_attn.k_proj.weight': [keys, hidden],
    'self_attn.o_proj.weight': [hidden, hidden],
    'self_attn.q_proj.weight': [hidden, hidden],
    'self_attn.v_proj.weight': [keys, hidden],
  };
  const blocks = Array.from({ length: layers }, (_, i) =>
    Object.entries(layer).map(([name, shape]): [string, number[]] => [`model.layers.${i}.${name}`, shape]),
  );
  return new Map([
    ['model.embed_tokens.weight', [vocab, hidden]],
    ...blocks.flat(),
    ['model.norm.weight', [hidden]],
    ['lm_head.weight', [vocab, hidden]],
  ]);
}

export function llamaConfig({ layers, hidden, inner, vocab, heads, kvHeads }: LlamaSize) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: hidden,
    intermediate_size: inner,
    initializer_range: 0.02,
    max_position_embeddings: 4096,
    num_attention_heads: heads,
    num_hidden_layers: layers,
    num_key_value_heads: kvHeads,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    vocab_size: vocab,
    bos_token_id: 1,
    eos_token_id: 2,
    tie_word_embeddings: false,
    torch_dtype: 'bfloat16',
  };
}
