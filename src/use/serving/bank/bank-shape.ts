import type { BankedPieces, BankForm } from '../../../methods/tuners/bank/bank-form.ts';
import type { PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';

/** The capacity of a bank's slots: by the keys of forms, the largest size at each path. */
export type BankShape = ReadonlyMap<string, { form: BankForm; sizes: ReadonlyMap<string, number> }>;

export const EMPTY_SHAPE: BankShape = new Map();

/** Extends a shape so that an adapter fits. */
export function withRoom(shape: BankShape, adapter: PackedAdapter): BankShape {
  return joinShapes(shape, findShape(adapter));
}

/** The shape in which an adapter just fits. */
export function findShape(adapter: PackedAdapter): BankShape {
  const sizesOf = (pieces: BankedPieces) => new Map([...pieces].map(([path, { size }]) => [path, size]));
  return new Map([...adapter].map(([key, { form, pieces }]) => [key, { form, sizes: sizesOf(pieces) }]));
}

/** The shape with room for all adapters that fit into one of two shapes. */
export function joinShapes(one: BankShape, other: BankShape): BankShape {
  const rooms = new Map(one);
  for (const [key, { form, sizes }] of other) {
    const both = new Map(rooms.get(key)?.sizes);
    for (const [path, size] of sizes) both.set(path, Math.max(size, both.get(path) ?? 0));
    rooms.set(key, { form, sizes: both });
  }
  return rooms;
}

/** The size of a slot: the sum over its places. */
export function countValues(shape: BankShape): number {
  const sizes = [...shape.values()].flatMap(({ sizes }) => [...sizes.values()]);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Whether an adapter fits into the slots. */
export function hasRoom(shape: BankShape, adapter: PackedAdapter): boolean {
  return [...adapter].every(([key, { pieces }]) => {
    const sizes = shape.get(key)?.sizes;
    return [...pieces].every(([path, { size }]) => size <= (sizes?.get(path) ?? 0));
  });
}
