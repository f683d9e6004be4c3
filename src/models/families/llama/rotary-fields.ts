import { z } from 'zod';
import { isObject } from '../../../support/options.ts';
import { size } from '../../config-fields.ts';

const factor = z.number().positive();
const uniform = z.never('expected the same for all layers').optional();
const common = { rope_theta: factor, full_attention: uniform, sliding_attention: uniform };
/**
 * For these families, transformers rejects any other value, except for the default type, which ignores this
 * field.
 */
const whole = z.literal(1, 'expected 1: these models turn whole heads').optional();
const scaled = { ...common, partial_rotary_factor: whole };
const original_max_position_embeddings = size.nullish();

/** `rope_parameters` of a config.json, as {@link withRotaryFields} returns them. */
export const rotaryFields = z.discriminatedUnion('rope_type', [
  z.object({ rope_type: z.literal('default'), ...common }),
  z.object({ rope_type: z.literal('linear'), ...scaled, factor }),
  z.object({ rope_type: z.literal('dynamic'), ...scaled, factor }),
  z.object({
    rope_type: z.literal('llama3'),
    ...scaled,
    factor,
    low_freq_factor: factor,
    high_freq_factor: factor,
    original_max_position_embeddings,
  }),
  z.object({
    rope_type: z.literal('yarn'),
    ...scaled,
    factor: factor.nullable(),
    original_max_position_embeddings,
    attention_factor: z.number().nullish(),
    beta_fast: z.number().nonnegative().nullish(),
    beta_slow: z.number().nonnegative().nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
  }),
]);

/** The fields of families that rotate only a part of each head. */
const partial_rotary_factor = factor.max(1).default(1);
const factors = z.array(factor);
export const partialRotaryFields = z.discriminatedUnion('rope_type', [
  z.object({ rope_type: z.literal('default'), ...common, partial_rotary_factor }),
  z.object({
    rope_type: z.literal('longrope'),
    ...common,
    partial_rotary_factor,
    factor: factor.nullish(),
    short_factor: factors,
    long_factor: factors,
    original_max_position_embeddings: size.min(2),
    attention_factor: z.number().nullish(),
  }),
]);

export type RotaryFields = z.infer<typeof rotaryFields> | z.infer<typeof partialRotaryFields>;

export const DEFAULT_THETA = 10_000;

/**
 * Moves the rotary settings of a config.json to `rope_parameters`, as transformers 5 writes them. Older files
 * have `rope_theta`, `partial_rotary_factor` and `rope_scaling`, with `type` instead of `rope_type`. If both old
 * and new settings are present, `rope_scaling` wins.
 */
export function withRotaryFields(json: unknown): unknown {
  if (!isObject(json)) return json;
  const scaling = json.rope_scaling ?? json.rope_parameters ?? {};
  if (!isObject(scaling)) return { ...json, rope_parameters: scaling };
  const { partial_rotary_factor: share } = json;
  const rope_parameters = {
    ...(share != null && { partial_rotary_factor: share }),
    ...scaling,
    rope_type: scaling.rope_type ?? scaling.type ?? 'default',
    rope_theta: scaling.rope_theta ?? json.rope_theta ?? DEFAULT_THETA,
  };
  return { ...json, rope_parameters };
}
