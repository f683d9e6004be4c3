import { Random } from '../support/random.ts';

/**
 * Draws after which a pool repeats: 256 MB. Without a period, a batch shared by many hosts would fill the memory of
 * each.
 */
const PERIOD = 2 ** 26;
/** A pool that must grow is made larger than needed by this factor, so that it seldom grows again. */
const GROWTH = 1.25;

/**
 * An unlimited sequence of draws, 0 with the given probability and 1 / (1 - p) otherwise, independent up to its
 * period.
 */
export class DropoutPool {
  /** The start of the sequence, followed by as many repeated draws as the longest view so far needed. */
  #values = new Float32Array(0);
  readonly #random: Random;
  readonly #probability: number;
  readonly #period: number;

  constructor(seed: number, probability: number, period = PERIOD) {
    this.#random = new Random(seed, `dropout pool ${probability}`);
    this.#probability = probability;
    this.#period = period;
  }

  /** Bytes that the first `length` draws take. */
  static bytes(length: number): number {
    return 4 * grown(length, PERIOD);
  }

  /** The first draws, at least `length` of them. Existing draws stay the same. */
  atLeast(length: number): Float32Array {
    const { length: present } = this.#values;
    if (present >= length) return this.#values;
    const period = this.#period;
    const values = new Float32Array(grown(length, period));
    values.set(this.#values);
    const kept = 1 / (1 - this.#probability);
    for (let i = present; i < Math.min(values.length, period); i++)
      values[i] = this.#random.uniform() < this.#probability ? 0 : kept;
    for (let i = Math.max(present, period); i < values.length; i++) values[i] = values[i - period];
    this.#values = values;
    return values;
  }

  /** Draws [start, end), as a view: a copy would cost each site of a large batch. */
  read(start: number, end: number): Float32Array {
    const first = start % this.#period;
    const last = first + end - start;
    return this.atLeast(last).subarray(first, last);
  }
}

function grown(length: number, period: number): number {
  if (length <= period) return Math.min(Math.ceil(length * GROWTH), period);
  return period + Math.ceil((length - period) * GROWTH);
}
