import type { TunedValues } from '../tuner.ts';
import { type BankedPart, NotMixed } from './bank-form.ts';
import { type Base, baseParameters } from './bank-rows.ts';
import { wholeParts } from './whole-parts.ts';

/** An adapter for a bank's slots, by the keys of forms. It never changes. */
export type PackedAdapter = ReadonlyMap<string, BankedPart>;

/** The base model without an adapter. */
export const NO_ADAPTER: PackedAdapter = new Map();

/** The size of a packed adapter in bytes. */
export function packedBytes(adapter: PackedAdapter): number {
  const pieces = [...adapter.values()].flatMap(({ pieces }) => [...pieces.values()]);
  const tensors = pieces.flatMap(({ tensors }) => Object.values(tensors));
  return tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
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
  const names = new Set(saved.map(({ name }) => name));
  const read = (name: string) => layout.read(values, name);
  const whole = wholeParts(model.linears, names, read, baseParameters(model), where);
  const used = [...parts, ...whole].filter(({ pieces }) => pieces.size > 0);
  return new Map(used.map((part) => [part.form.key, part]));
}
