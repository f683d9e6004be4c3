import { type PackedAdapter, packedBytes } from '../../tuners/bank/packed-adapter.ts';

/** A cache of recently used adapters, ready for a slot. Other adapters are read from their files again. */
export class PackedCache {
  readonly #most: number;
  /** The least recently used first. */
  readonly #packed = new Map<object, { packed: PackedAdapter; bytes: number }>();
  /** Adapters that are no longer served. Requests may still wait for them. */
  readonly #forgotten = new WeakMap<object, PackedAdapter | undefined>();
  #bytes = 0;

  /** @param most maximum size in bytes; the last adapter is kept even if it is larger */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param make reads the adapter if it is not cached */
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

  /** Keeps an adapter only while its key is in use, because it was unloaded or replaced. */
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
