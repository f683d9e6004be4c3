import type { BankForm } from '../../tuners/bank/bank-form.ts';
import type { PackedAdapter } from '../../tuners/bank/packed-adapter.ts';

/** The capacity of a bank's slots: by the keys of forms, the largest size at each path. */
export type BankShape = ReadonlyMap<string, { form: BankForm; sizes: ReadonlyMap<string, number> }>;

export const EMPTY_SHAPE: BankShape = new Map();

/** Extends a shape so that an adapter fits. */
export function withRoom(shape: BankShape, adapter: PackedAdapter): BankShape {
  const rooms = new Map(shape);
  for (const [key, { form, pieces }] of adapter) {
    const sizes = new Map(rooms.get(key)?.sizes);
    for (const [path, { size }] of pieces) sizes.set(path, Math.max(size, sizes.get(path) ?? 0));
    rooms.set(key, { form, sizes });
  }
  return rooms;
}

/** Whether an adapter fits into the slots. */
export function hasRoom(shape: BankShape, adapter: PackedAdapter): boolean {
  return [...adapter].every(([key, { pieces }]) => {
    const sizes = shape.get(key)?.sizes;
    return [...pieces].every(([path, { size }]) => size <= (sizes?.get(path) ?? 0));
  });
}
