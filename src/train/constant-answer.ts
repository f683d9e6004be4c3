import type { TunableModel, Tuner } from '../tuners/tuner.ts';

/**
 * Returns trained values with which a model gives the same logits for every text.
 *
 * @returns undefined if the head's last layer has no trained weight and bias, or has an adapter
 */
export function constantAnswer(
  { linears }: Pick<TunableModel, 'linears'>,
  { layout, sites }: Pick<Tuner, 'layout' | 'sites'>,
  values: Float32Array,
  logits: readonly number[],
): Float32Array | undefined {
  const last = linears.at(-1);
  const [weight, bias] = ['weight', 'bias'].map((name) => layout.find(`${last?.path}.${name}`));
  if (!weight || bias?.shape[0] !== logits.length || sites.some(({ path }) => path === last?.path))
    return undefined;
  const constant = values.slice();
  layout.read(constant, weight.name).fill(0);
  layout.read(constant, bias.name).set(logits);
  return constant;
}
