import type { BankedPart } from './bank-form.ts';

/** An adapter for a bank's slots, by the keys of forms. It is never changed. */
export type PackedAdapter = ReadonlyMap<string, BankedPart>;

/** The base model alone. */
export const NO_ADAPTER: PackedAdapter = new Map();

/** Its memory in bytes. */
export function packedBytes(adapter: PackedAdapter): number {
  const pieces = [...adapter.values()].flatMap(({ pieces }) => [...pieces.values()]);
  const tensors = pieces.flatMap(({ tensors }) => Object.values(tensors));
  return tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
