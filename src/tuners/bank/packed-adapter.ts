import type { BankedPart } from './bank-form.ts';

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
