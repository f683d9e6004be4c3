import { type PackedAdapter, packedBytes } from '../../methods/tuners/bank/packed-adapter.ts';

/** An adapter that is cached, or is being read. Its size is 0 until it is read. */
interface Cached {
  packed: Promise<PackedAdapter>;
  bytes: number;
}

/** A cache of recently used adapters, ready for a slot. Other adapters are read from their files again. */
export class PackedCache {
  readonly #most: number;
  /** The least recently used first. */
  readonly #packed = new Map<object, Cached>();
  /** Adapters that are no longer served. Requests may still wait for them. */
  readonly #forgotten = new WeakMap<object, Promise<PackedAdapter> | undefined>();
  #bytes = 0;

  /** @param most maximum size in bytes; the last adapter is kept even if it is larger */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param make reads the adapter if it is not cached; requests at the same time share one call */
  get(key: object, make: () => Promise<PackedAdapter>): Promise<PackedAdapter> {
    if (this.#forgotten.has(key)) return this.#forgotten.get(key) ?? make();
    const known = this.#packed.get(key) ?? this.#reading(key, make());
    this.#packed.delete(key);
    this.#packed.set(key, known);
    return known.packed;
  }

  /** Keeps an adapter only while its key is in use, because it was unloaded or replaced. */
  forget(key: object): void {
    this.#forgotten.set(key, this.#packed.get(key)?.packed);
    this.#drop(key);
  }

  #reading(key: object, packed: Promise<PackedAdapter>): Cached {
    const cached = { packed, bytes: 0 };
    packed.then(
      (read) => {
        if (this.#packed.get(key) !== cached) return;
        cached.bytes = packedBytes(read);
        this.#bytes += cached.bytes;
        for (const oldest of this.#packed.keys()) {
          if (this.#bytes <= this.#most || oldest === key) break;
          this.#drop(oldest);
        }
      },
      () => this.#drop(key),
    );
    return cached;
  }

  #drop(key: object): void {
    this.#bytes -= this.#packed.get(key)?.bytes ?? 0;
    this.#packed.delete(key);
  }
}
