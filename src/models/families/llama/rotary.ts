import { z } from 'zod';
import { isObject } from '../../../support/options.ts';
import type { Rotary } from '../../nn/rotary.ts';
import { FULL, type LayerType, SLIDING } from './layer-types.ts';
import { type RotaryFields, rotaryFields, withRotaryFields } from './rotary-fields.ts';

const { fround } = Math;

type Fields<T extends RotaryFields['rope_type']> = Extract<RotaryFields, { rope_type: T }>;
type Scaling = { [T in RotaryFields['rope_type']]: (fields: Fields<T>) => Rotary };

/**
 * Rotary position embeddings from the fields of a config.json.
 *
 * @param headSize an even number
 * @param maxLength `max_position_embeddings`
 */
export function readRotary(fields: RotaryFields, headSize: number, maxLength: number): Rotary {
  const share = 'partial_rotary_factor' in fields ? (fields.partial_rotary_factor ?? 1) : 1;
  const unscaled = inverseFrequencies(fields.rope_theta, Math.floor(headSize * share));
  const scaling: Scaling = {
    default: () => ({ frequencies: unscaled, scale: 1 }),
    linear: ({ factor }) => ({ frequencies: unscaled.map((f) => f / factor), scale: 1 }),
    dynamic: ({ factor }) => ({ frequencies: unscaled, scale: 1, stretch: { factor, length: maxLength } }),
    llama3: (llama3) => ({
      frequencies: unscaled.map((f) => llama3Frequency(f, llama3, maxLength)),
      scale: 1,
    }),
    yarn: (yarn) => yarnRotary(unscaled, yarn, maxLength),
    longrope: (longrope) => longRotary(unscaled, longrope, maxLength),
  };
  return scaling[fields.rope_type](fields as never);
}

/**
 * 1 / theta^(2 i / size), rounded to float32 at every step as in transformers. Above position 10,000, a
 * different last digit would change the result visibly.
 */
function inverseFrequencies(theta: number, size: number): number[] {
  return Array.from({ length: size / 2 }, (_, i) =>
    fround(1 / fround(fround(theta) ** fround((2 * i) / size))),
  );
}

/** Llama 3.1's frequencies: low ones are lowered further, high ones are kept, and those between are blended. */
function llama3Frequency(frequency: number, fields: Fields<'llama3'>, maxLength: number): number {
  const { factor, low_freq_factor: low, high_freq_factor: high } = fields;
  const turns = ((fields.original_max_position_embeddings ?? maxLength) * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const share = (turns - low) / (high - low);
  return ((1 - share) * frequency) / factor + share * frequency;
}

/** YaRN (Peng et al., 2024): low frequencies are lowered, high ones are kept, and a ramp connects them. */
function yarnRotary(unscaled: readonly number[], fields: Fields<'yarn'>, maxLength: number): Rotary {
  const original = fields.original_max_position_embeddings ?? maxLength;
  const factor = fields.factor ?? maxLength / original;
  const size = 2 * unscaled.length;
  const pairTurning = (times: number) =>
    (size * Math.log(original / (times * 2 * Math.PI))) / (2 * Math.log(fields.rope_theta));
  const [first, last] = [fields.beta_fast || 32, fields.beta_slow || 1].map(pairTurning) as [number, number];
  const low = Math.max(fields.truncate ? Math.floor(first) : first, 0);
  const high = Math.min(fields.truncate ? Math.ceil(last) : last, size - 1);
  const span = high - low || 0.001;
  const frequencies = unscaled.map((frequency, i) => {
    // Computed in float32 as in transformers, because the two subtractions from 1 lose digits.
    const place = fround(fround(i - fround(low)) / fround(span));
    const kept = fround(1 - Math.min(Math.max(place, 0), 1));
    return fround(fround(fround(frequency / factor) * fround(1 - kept)) + fround(frequency * kept));
  });
  return { frequencies, scale: fields.attention_factor ?? attentionFactor(factor, fields) };
}

/**
 * LongRoPE (Ding et al., 2024): each pair of features has two factors, one for short texts and one beyond the
 * original length.
 */
function longRotary(unscaled: readonly number[], fields: Fields<'longrope'>, maxLength: number): Rotary {
  const { original_max_position_embeddings: original, short_factor, long_factor } = fields;
  const factor = fields.factor ?? maxLength / original;
  const scaled = (factors: readonly number[]) =>
    unscaled.map((frequency, i) => fround(frequency / fround(factors[i]!)));
  return {
    frequencies: scaled(short_factor),
    scale:
      fields.attention_factor ?? (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))),
    beyond: { frequencies: scaled(long_factor), length: original },
  };
}

function attentionFactor(factor: number, { mscale, mscale_all_dim }: Fields<'yarn'>): number {
  const growth = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return mscale && mscale_all_dim ? growth(mscale) / growth(mscale_all_dim) : growth(1);
}

/** `rope_parameters` of a config.json, with separate settings for each layer type. */
export const rotaryByLayer = z.object({ [FULL]: rotaryFields, [SLIDING]: rotaryFields });

/** `rope_parameters` of a config.json without them. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  [FULL]: { rope_type: 'default' },
  [SLIDING]: { rope_type: 'default' },
};

/** For each layer type: the top-level key of its base frequency in older files, and that frequency's default. */
type Thetas = Readonly<Record<LayerType, readonly [key: string, theta: number]>>;

/**
 * Moves the rotary settings of a config.json to `rope_parameters` by layer type, as transformers 5 writes
 * them. Older files have one key per type for its base frequency, and a `rope_scaling`. Without
 * `rope_parameters`, transformers ignores a `type` in `rope_scaling`, because the default `rope_type` wins.
 *
 * @param scaled the layer types to which `rope_scaling` applies
 */
export function withRotaryByLayer(json: unknown, thetas: Thetas, scaled: readonly LayerType[]) {
  const fields = isObject(json) ? json : {};
  const parameters = isObject(fields.rope_parameters) ? fields.rope_parameters : DEFAULTS;
  const settings = (type: LayerType) => {
    const [key, theta] = thetas[type];
    const rope_parameters = {
      ...(parameters[type] as object | undefined),
      ...(scaled.includes(type) && isObject(fields.rope_scaling) && fields.rope_scaling),
    };
    const parsed = withRotaryFields({ rope_parameters, rope_theta: fields[key] ?? theta });
    return (parsed as { rope_parameters: unknown }).rope_parameters;
  };
  return { ...fields, rope_parameters: { [FULL]: settings(FULL), [SLIDING]: settings(SLIDING) } };
}

/** The rotary position embeddings of each layer type. */
export function readRotaries(
  fields: z.infer<typeof rotaryByLayer>,
  headSize: number,
  maxLength: number,
): Record<LayerType, Rotary> {
  const ofType = (type: LayerType) => readRotary(fields[type], headSize, maxLength);
  return { [FULL]: ofType(FULL), [SLIDING]: ofType(SLIDING) };
}
