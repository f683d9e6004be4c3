import { Random } from '../support/random.ts';

/** Draws after which a pool begins again: 256 MB. Only a batch that many hosts share needs more at once, and repeats some. */
const PERIOD = 2 ** 26;
/** A pool that must grow becomes so many times as long as it must be, so that it seldom grows again. */
const GROWTH = 1.25;

/** An endless row of draws, 0 with the given probability and 1 / (1 - p) otherwise: independent up to its period. */
export class DropoutPool {
  #values = new Float32Array(0);
  readonly #random: Random;
  readonly #probability: number;
  readonly #period: number;

  constructor(seed: number, probability: number, period = PERIOD) {
    this.#random = new Random(seed, `dropout pool ${probability}`);
    this.#probability = probability;
    this.#period = period;
  }

  /** Bytes that are kept for the first `length` draws. */
  static bytes(length: number): number {
    return 4 * Math.min(Math.ceil(length * GROWTH), PERIOD);
  }

  /** Makes the first `length` draws, or those of a period, if they are not there. Those that are stay the same. */
  reserve(length: number): Float32Array {
    const { length: present } = this.#values;
    if (present >= Math.min(length, this.#period)) return this.#values;
    const grown = new Float32Array(Math.min(Math.ceil(length * GROWTH), this.#period));
    grown.set(this.#values);
    const kept = 1 / (1 - this.#probability);
    for (let i = present; i < grown.length; i++)
      grown[i] = this.#random.uniform() < this.#probability ? 0 : kept;
    this.#values = grown;
    return grown;
  }

  /** The first draws, `length` of them or more. */
  atLeast(length: number): Float32Array {
    return length > this.#period ? this.read(0, length) : this.reserve(length);
  }

  /** Draws from `start` up to `end`: a view where no period ends between them. */
  read(start: number, end: number): Float32Array {
    const first = start % this.#period;
    const length = end - start;
    if (first + length <= this.#period) return this.reserve(first + length).subarray(first, first + length);
    const period = this.reserve(this.#period);
    const copy = new Float32Array(length);
    for (let at = 0; at < length; ) {
      const from = (start + at) % this.#period;
      const part = period.subarray(from, from + length - at);
      copy.set(part, at);
      at += part.length;
    }
    return copy;
  }
}
