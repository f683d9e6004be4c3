import type { TunedValues } from '../tuner.ts';
import { type Base, baseParameters } from './bank-rows.ts';
import { NotMixed } from './not-mixed.ts';
import { NO_ADAPTER, type PackedAdapter } from './packed-adapter.ts';
import { wholeParts } from './whole-parts.ts';

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
  const names = new Set(saved.map(({ name }) => name));
  const read = (name: string) => layout.read(values, name);
  const whole = wholeParts(model.linears, names, read, baseParameters(model), where);
  const used = [...parts, ...whole].filter(({ pieces }) => pieces.size > 0);
  return new Map(used.map((part) => [part.form.key, part]));
}
