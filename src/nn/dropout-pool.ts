import { Random } from '../support/random.ts';

/**
 * The number of draws after which a pool repeats: 256 MB. Without it, the pools for a large batch would fill the
 * memory.
 */
const PERIOD = 2 ** 26;
/** A pool that must grow is made larger than needed by this factor, so that it seldom grows again. */
const GROWTH = 1.25;

/**
 * The distribution of a pool's draws. A number is the probability of dropout. `noise` is NEFTune's, uniform in [-1, 1).
 */
export type Drawn = number | 'noise';

/**
 * An unlimited sequence of draws, independent up to its period. Dropout's draws are 0 with the given probability and 1
 * / (1 - p) otherwise.
 */
export class DropoutPool {
  /** The draws made so far. Draws after the period repeat the first ones, so that a view can cross the period's end. */
  #values = new Float32Array(0);
  readonly #random: Random;
  readonly #drawn: Drawn;
  readonly #period: number;

  constructor(seed: number, drawn: Drawn, period = PERIOD) {
    this.#random = new Random(seed, `dropout pool ${drawn}`);
    this.#drawn = drawn;
    this.#period = period;
  }

  /** The size in bytes of the first `length` draws. */
  static bytes(length: number): number {
    return 4 * grown(length, PERIOD);
  }

  /** Returns the first draws, at least `length` of them. Existing draws do not change. */
  atLeast(length: number): Float32Array {
    const { length: present } = this.#values;
    if (present >= length) return this.#values;
    const period = this.#period;
    const values = new Float32Array(grown(length, period));
    values.set(this.#values);
    const drawn = this.#drawn;
    const value = drawn === 'noise' ? noise : kept(drawn);
    for (let i = present; i < Math.min(values.length, period); i++) values[i] = value(this.#random.uniform());
    for (let i = Math.max(present, period); i < values.length; i++) values[i] = values[i - period]!;
    this.#values = values;
    return values;
  }

  /** Returns the draws [start, end) as a view. A copy at each use would slow down large batches. */
  read(start: number, end: number): Float32Array {
    const first = start % this.#period;
    const last = first + end - start;
    return this.atLeast(last).subarray(first, last);
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
