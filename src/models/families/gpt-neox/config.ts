import { z } from 'zod';
import { isObject } from '../../../support/is-object.ts';
import { probability, size } from '../../config-fields.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { DEFAULT_THETA, partialRotaryFields } from '../llama/rotary-fields.ts';

const schema = z.object({
  ...decoderFields,
  vocab_size: size.default(50432),
  hidden_act: z.string().default('gelu'),
  hidden_dropout: probability.default(0),
  classifier_dropout: probability.default(0.1),
  layer_norm_eps: z.number().positive().default(1e-5),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  rope_parameters: partialRotaryFields,
});

export type GptNeoxConfig = ReturnType<typeof parseGptNeoxConfig>;

/** Default share of features in each head that are rotated. */
const TURNED = 0.25;

/** Parses a config.json of `model_type` gpt_neox. Fields keep Hugging Face's names. */
export function parseGptNeoxConfig(json: unknown, where: string) {
  return parseDecoderConfig(schema, withCommonNames(json), where);
}

/**
 * Renames GPT-NeoX's rotary settings to the common names. As in transformers, the common names have no effect outside
 * of `rope_parameters`.
 */
function withCommonNames(json: unknown): unknown {
  if (!isObject(json)) return json;
  const given = json.rope_scaling ?? json.rope_parameters ?? {};
  if (!isObject(given)) return json;
  const rope_parameters = {
    rope_theta: json.rotary_emb_base ?? DEFAULT_THETA,
    partial_rotary_factor: json.rotary_pct ?? TURNED,
    ...given,
  };
  return { ...json, rope_scaling: null, rope_parameters };
}
