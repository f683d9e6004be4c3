import type { Tensors } from '../../../engine/runtime/session.ts';
import type { PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import { elementCount } from '../../../support/arrays.ts';
import { type BankPart, SLOTS } from './bank-injection.ts';

/**
 * The adapters with which a session can currently compute. Their tensors are inputs of the session, and are written in
 * place. Loading an adapter writes it to a slot. It stays there until another adapter needs the least recently used
 * slot.
 */
export class AdapterBank {
  readonly #parts: readonly (BankPart & { size: number; data: Float32Array })[];
  readonly #tensors: Tensors;
  /** Slots by the object that identifies an adapter, the least recently used first. */
  readonly #slots = new Map<object, number>();
  readonly #free: number[];
  readonly slots: number;

  constructor(parts: readonly BankPart[], slots: number) {
    this.#parts = parts.map((part) => {
      const size = elementCount(part.shape);
      return { ...part, size, data: new Float32Array(slots * size) };
    });
    this.#tensors = Object.fromEntries(
      this.#parts.map(({ name, shape, data }) => [name, { data, dims: [slots, ...shape] }]),
    );
    this.slots = slots;
    this.#free = Array.from({ length: slots }, (_, slot) => slot);
  }

  /**
   * Gives an adapter a slot, if possible.
   *
   * @param adapter object that identifies the adapter
   * @param kept adapters that must keep their slots
   * @returns whether it has a slot; false if `kept` occupies all slots
   * @throws Error for an adapter that does not fit into a slot; the others keep theirs
   */
  place(adapter: object, packed: PackedAdapter, kept: ReadonlySet<object>): boolean {
    const known = this.#slots.get(adapter);
    const slot = known ?? this.#free.pop() ?? this.#evict(kept);
    if (slot === undefined) return false;
    try {
      if (known === undefined) this.#write(packed, slot);
    } catch (error) {
      this.#free.push(slot);
      throw error;
    }
    this.#slots.delete(adapter);
    this.#slots.set(adapter, slot);
    return true;
  }

  /** Returns the bank as inputs of its graph, for examples with adapters that have slots. */
  feeds(adapters: readonly object[]): Tensors {
    const slots = Int32Array.from(adapters, (adapter) => {
      const slot = this.#slots.get(adapter);
      if (slot === undefined) throw new Error('an adapter without a slot');
      return slot;
    });
    return { ...this.#tensors, [SLOTS]: { data: slots, dims: [slots.length] } };
  }

  #evict(kept: ReadonlySet<object>): number | undefined {
    for (const [adapter, slot] of this.#slots) {
      if (kept.has(adapter)) continue;
      this.#slots.delete(adapter);
      return slot;
    }
    return undefined;
  }

  #write(adapter: PackedAdapter, slot: number): void {
    for (const { size, data, write } of this.#parts) {
      const memory = data.subarray(slot * size, (slot + 1) * size);
      memory.fill(0);
      write(adapter, memory);
    }
  }
}
