import { type PackedAdapter, packedBytes } from '../bank/packed-adapter.ts';

/** Recently used adapters, ready for a slot; others are read from their files again. */
export class PackedCache {
  readonly #most: number;
  /** The least recently used first. */
  readonly #packed = new Map<object, { packed: PackedAdapter; bytes: number }>();
  /** Adapters that are no longer served, for the requests that still wait for them. */
  readonly #forgotten = new WeakMap<object, PackedAdapter | undefined>();
  #bytes = 0;

  /**
   * @param most bytes that they may take; the last one is kept in any case
   */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param make reads it if it is not cached
   */
  get(key: object, make: () => PackedAdapter): PackedAdapter {
    if (this.#forgotten.has(key)) return this.#forgotten.get(key) ?? make();
    const known = this.#packed.get(key) ?? sized(make());
    if (!this.#packed.delete(key)) this.#bytes += known.bytes;
    this.#packed.set(key, known);
    for (const [oldest, { bytes }] of this.#packed) {
      if (this.#bytes <= this.#most || oldest === key) break;
      this.#packed.delete(oldest);
      this.#bytes -= bytes;
    }
    return known.packed;
  }

  /** Keeps an adapter only as long as its key is in use: it was unloaded or replaced. */
  forget(key: object): void {
    const known = this.#packed.get(key);
    this.#forgotten.set(key, known?.packed);
    if (!known) return;
    this.#packed.delete(key);
    this.#bytes -= known.bytes;
  }
}

function sized(packed: PackedAdapter): { packed: PackedAdapter; bytes: number } {
  return { packed, bytes: packedBytes(packed) };
}
