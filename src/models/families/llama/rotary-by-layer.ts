import { z } from 'zod';
import { isObject } from '../../../support/is-object.ts';
import type { Rotary } from '../../nn/rotary.ts';
import { FULL, type LayerType, SLIDING } from './layer-types.ts';
import { rotaryFields, withRotaryFields } from './rotary-fields.ts';
import { rotaryOf } from './rotary-scaling.ts';

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
  const given = isObject(fields.rope_parameters) ? fields.rope_parameters : DEFAULTS;
  const settings = (type: LayerType) => {
    const [key, theta] = thetas[type];
    const rope_parameters = {
      ...(given[type] as object | undefined),
      ...(scaled.includes(type) && isObject(fields.rope_scaling) && fields.rope_scaling),
    };
    const parsed = withRotaryFields({ rope_parameters, rope_theta: fields[key] ?? theta });
    return (parsed as { rope_parameters: unknown }).rope_parameters;
  };
  return { ...fields, rope_parameters: { [FULL]: settings(FULL), [SLIDING]: settings(SLIDING) } };
}

/** The rotary position embeddings of each layer type. */
export function rotariesOf(
  fields: z.infer<typeof rotaryByLayer>,
  headSize: number,
  maxLength: number,
): Record<LayerType, Rotary> {
  const of = (type: LayerType) => rotaryOf(fields[type], headSize, maxLength);
  return { [FULL]: of(FULL), [SLIDING]: of(SLIDING) };
}
