import type { ReadParameter, TunableModel, TunedValues } from '../tuner.ts';
import { NotMixed } from './not-mixed.ts';
import { NO_ADAPTER, type PackedAdapter } from './packed-adapter.ts';
import { wholeParts } from './whole-parts.ts';

/** A model, and the weights of its base. */
interface Base extends Pick<TunableModel, 'linears' | 'parameters'> {
  reader(seed: number): ReadParameter;
}

/**
 * Packs an adapter, or the base model alone.
 *
 * @param where the adapter's name for messages
 * @throws NotMixed for a method that does not mix, and for parameters trained in full that are neither linear modules
 * nor biases
 */
export function packAdapter(model: Base, { tuner, values }: TunedValues, where: string): PackedAdapter {
  const { layout, bank = 'uses a method that does not support shared batches' } = tuner;
  if (layout.length === 0) return NO_ADAPTER;
  if (typeof bank === 'string') throw new NotMixed(where, bank);
  const { parts, saved } = bank(values);
  const base = (name: string) => {
    const shape = model.parameters.get(name);
    return shape && model.reader(0)(name, shape);
  };
  const whole = wholeParts(model.linears, new Set(saved), (name) => layout.read(values, name), base, where);
  const used = [...parts, ...whole].filter(({ pieces }) => pieces.size > 0);
  return new Map(used.map((part) => [part.form.key, part]));
}
