import { Random } from '../support/random.ts';

/** Draws after which a pool begins again: 256 MB. A batch that many hosts share would fill the memory of each. */
const PERIOD = 2 ** 26;
/** A pool that must grow becomes so many times as long as it must be, so that it seldom grows again. */
const GROWTH = 1.25;

/** An endless row of draws, 0 with the given probability and 1 / (1 - p) otherwise: independent up to its period. */
export class DropoutPool {
  /** Its beginning, with as many repetitions behind a period as one view has needed. */
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
    return 4 * grown(length, PERIOD);
  }

  /** The first draws, `length` of them or more. Those that were there stay the same. */
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

  /** Draws from `start` up to `end`, as a view: every site of a large batch would copy it otherwise. */
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
