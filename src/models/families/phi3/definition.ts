import { z } from 'zod';
import { multiply, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { isObject } from '../../../support/options.ts';
import { probability, size } from '../../config-fields.ts';
import { activation } from '../../nn/activation.ts';
import type { Network } from '../../nn/network.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { decoderFamily } from '../llama/definition.ts';
import { partialRotaryFields } from '../llama/rotary-fields.ts';

const schema = z.object({
  ...decoderFields,
  max_position_embeddings: size.default(4096),
  rms_norm_eps: z.number().positive().default(1e-5),
  rope_parameters: partialRotaryFields,
  pad_token_id: z.int().nullable().default(32000),
  resid_pdrop: probability.default(0),
  sliding_window: size.nullable().default(null),
});

/** Default sequence length up to which LongRoPE uses the short factors. */
const ORIGINAL_LENGTH = 4096;

/**
 * Phi-3 and Phi-4 (Abdin et al., 2024): Llama with fused projections, dropout after sublayers, and heads that
 * are rotated only in part.
 */
export const phi3 = decoderFamily({
  modelType: 'phi3',
  gguf: {
    architecture: 'phi3',
    modules: {
      'self_attn.qkv_proj': 'attn_qkv',
      'self_attn.o_proj': 'attn_output',
      'mlp.gate_up_proj': 'ffn_up',
      'mlp.down_proj': 'ffn_down',
    },
  },
  name: 'Phi3',
  hasTokenHead: true,
  // PEFT has no defaults for Phi-3. These modules correspond to those that it adapts in Llama.
  roles: {
    queryKeyValue: 'qkv_proj',
    output: 'o_proj',
    up: 'gate_up_proj',
    down: 'down_proj',
  },
  parseConfig(json, where) {
    const config = parseDecoderConfig(schema, withOriginalLength(json), where);
    return { ...config, rereadAbove: config.rotary.beyond?.length };
  },
  attention: (config) => ({
    window: config.sliding_window ?? undefined,
    project: (module, x) => {
      const { num_attention_heads: heads, keyValueHeads, headSize } = config;
      return split(
        module,
        'qkv_proj',
        x,
        [heads, keyValueHeads, keyValueHeads].map((count) => count * headSize),
      );
    },
  }),
  feedForward(module, { intermediate_size: inner, hidden_act, hidden_size }, x) {
    const [gate, up] = split(module, 'gate_up_proj', x, [inner, inner]) as [Value, Value];
    const gated = multiply(activation(hidden_act)(gate), up);
    return module.linear('down_proj', gated, hidden_size, { bias: false });
  },
  dropout: ({ resid_pdrop }) => resid_pdrop,
});

/** Moves `original_max_position_embeddings` to the rotary settings, where other families have it. */
function withOriginalLength(json: unknown): unknown {
  if (!isObject(json)) return json;
  const scaling = json.rope_scaling ?? json.rope_parameters ?? {};
  if (!isObject(scaling)) return json;
  const original_max_position_embeddings = json.original_max_position_embeddings ?? ORIGINAL_LENGTH;
  return { ...json, rope_scaling: null, rope_parameters: { ...scaling, original_max_position_embeddings } };
}

/** Splits the output of a fused module into parts of the given widths. */
function split(module: Network, name: string, x: Value, widths: readonly number[]): Value[] {
  const ends = widths.map((_, i) => widths.slice(0, i + 1).reduce((sum, width) => sum + width, 0));
  const fused = module.linear(name, x, ends[ends.length - 1]!, { bias: false });
  return widths.map((width, i) => slice(fused, 1, ends[i]! - width, ends[i]!));
}
