import { Random } from '../../support/random.ts';

/**
 * The number of draws after which a pool repeats: 256 MB. Without it, the pools for a large batch would fill the
 * memory.
 */
const PERIOD = 2 ** 26;
/** A pool that must grow is made larger than needed by this factor, so that it seldom grows again. */
const GROWTH = 1.25;
/** The number of draws that are made together, when the first of them is read. */
const CHUNK = 4096;

/**
 * The distribution of a pool's draws. A number is the probability of dropout. `noise` is NEFTune's, uniform in [-1, 1).
 */
export type Drawn = number | 'noise';

/**
 * An unlimited sequence of draws, independent up to its period. Dropout's draws are 0 with the given probability and 1
 * / (1 - p) otherwise.
 */
export class DropoutPool {
  /** Memory for the draws. Those after the period repeat the first ones, so that a view can cross the period's end. */
  #values = new Float32Array(0);
  /** Whether a chunk of `#values` is drawn. */
  #isDrawn = new Uint8Array(0);
  readonly #random: Random;
  readonly #value: (uniform: number) => number;
  readonly #period: number;
  readonly #bits = new Uint32Array(CHUNK);

  /** @param period an even number */
  constructor(seed: number, drawn: Drawn, period = PERIOD) {
    this.#random = new Random(seed, `dropout pool ${drawn}`);
    this.#value = drawn === 'noise' ? noise : kept(drawn);
    this.#period = period;
  }

  /** The size in bytes of the first `length` draws. */
  static bytes(length: number): number {
    return 4 * grown(length, PERIOD);
  }

  /** Returns the first draws, at least `length` of them. Existing draws do not change. */
  atLeast(length: number): Float32Array {
    this.reserve(length);
    this.#draw(0, this.#values.length);
    return this.#values;
  }

  /** Allocates `length` draws, so that later views of them share one memory. */
  reserve(length: number): void {
    if (this.#values.length >= length) return;
    const size = grown(length, this.#period);
    const values = new Float32Array(size);
    values.set(this.#values);
    // The last chunk may have been shortened to the memory that was left.
    const isDrawn = new Uint8Array(Math.ceil(size / CHUNK));
    isDrawn.set(this.#isDrawn.subarray(0, Math.floor(this.#values.length / CHUNK)));
    [this.#values, this.#isDrawn] = [values, isDrawn];
  }

  /** Returns the draws [start, end) as a view. A copy at each use would slow down large batches. */
  read(start: number, end: number): Float32Array {
    const first = start % this.#period;
    const last = first + end - start;
    this.reserve(last);
    this.#draw(first, last);
    return this.#values.subarray(first, last);
  }

  /** Makes the draws [first, last) that are not there yet, and those around them. */
  #draw(first: number, last: number): void {
    for (let chunk = Math.floor(first / CHUNK); chunk * CHUNK < last; chunk++) {
      if (this.#isDrawn[chunk]) continue;
      this.#isDrawn[chunk] = 1;
      const end = Math.min((chunk + 1) * CHUNK, this.#values.length);
      for (let at = chunk * CHUNK; at < end; ) {
        const place = at % this.#period;
        const until = Math.min(end, at + this.#period - place);
        this.#random.uint32s(place, this.#bits);
        for (let i = at; i < until; i++) this.#values[i] = this.#value(this.#bits[i - at]! / 2 ** 32);
        at = until;
      }
    }
  }
}

function noise(uniform: number): number {
  return 2 * uniform - 1;
}

function kept(probability: number): (uniform: number) => number {
  const factor = 1 / (1 - probability);
  return (uniform) => (uniform < probability ? 0 : factor);
}

function grown(length: number, period: number): number {
  if (length <= period) return Math.min(Math.ceil(length * GROWTH), period);
  return period + Math.ceil((length - period) * GROWTH);
}

/** The pools of a run by seed and distribution. Its graphs share them, because a million draws take 0.01 to 0.02 s. */
export class DropoutPools {
  readonly #pools = new Map<string, DropoutPool>();

  of(seed: number, drawn: Drawn): DropoutPool {
    const key = `${seed} ${drawn}`;
    const pool = this.#pools.get(key) ?? new DropoutPool(seed, drawn);
    this.#pools.set(key, pool);
    return pool;
  }
}
