import type { LearntIds } from './learnt-ids.ts';

/** A growing list of token ids, with four bytes per id. */
export class TokenBuffer {
  #ids: Int32Array = new Int32Array(256);
  length = 0;

  push(id: number): void {
    if (this.length === this.#ids.length) this.#grow(1);
    this.#ids[this.length++] = id;
  }

  append(ids: ArrayLike<number>): void {
    if (this.length + ids.length > this.#ids.length) this.#grow(ids.length);
    this.#ids.set(ids, this.length);
    this.length += ids.length;
  }

  /** A copy of the ids [start, end). */
  slice(start = 0, end = this.length): Int32Array {
    return this.#ids.slice(start, Math.min(end, this.length));
  }

  #grow(more: number): void {
    const grown = new Int32Array(Math.max(this.length + more, 2 * this.#ids.length));
    grown.set(this.#ids.subarray(0, this.length));
    this.#ids = grown;
  }
}

/** Sequences of tokens, stored one after the other. */
export interface TokenSequences {
  tokens: Int32Array;
  /** 1 for each token to learn, 0 for context. */
  learnt: Uint8Array;
  /** The start of each sequence, then the end of the last one. */
  starts: Int32Array;
  /** Number of truncated examples. */
  truncated: number;
}

/** Collects sequences of at most `maxLength` tokens. */
export class SequenceBuilder {
  readonly #maxLength: number;
  readonly #tokens = new TokenBuffer();
  readonly #starts = new TokenBuffer();
  #learnt = new Uint8Array(256);
  #truncated = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
    this.#starts.push(0);
  }

  /** Number of sequences so far. */
  get count(): number {
    return this.#starts.length - 1;
  }

  /** Adds an example and truncates it if necessary. If no learned token is left, adds nothing and returns false. */
  addCut({ ids, learnt }: LearntIds): boolean {
    const kept = learnt.subarray(0, this.#maxLength);
    // The first token is never a target, because no token precedes it.
    if (kept.indexOf(1, 1) < 0) return false;
    if (ids.length > this.#maxLength) this.#truncated++;
    this.#add(ids.subarray(0, this.#maxLength), kept);
    return true;
  }

  /** Adds a text in blocks of the maximum length. A last block below `least` tokens is dropped. */
  addBlocks(ids: Int32Array, least: number): void {
    for (let start = 0; start < ids.length; start += this.#maxLength) {
      const block = ids.subarray(start, start + this.#maxLength);
      if (block.length >= least) this.#add(block, new Uint8Array(block.length).fill(1));
    }
  }

  build(): TokenSequences {
    return {
      tokens: this.#tokens.slice(),
      learnt: this.#learnt.slice(0, this.#tokens.length),
      starts: this.#starts.slice(),
      truncated: this.#truncated,
    };
  }

  #add(ids: Int32Array, learnt: Uint8Array): void {
    const end = this.#tokens.length + ids.length;
    if (end > this.#learnt.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#learnt.length));
      grown.set(this.#learnt);
      this.#learnt = grown;
    }
    this.#learnt.set(learnt, this.#tokens.length);
    this.#tokens.append(ids);
    this.#starts.push(end);
  }
}

/** The number of tokens in each sequence. */
export function measureLengths({ starts }: Pick<TokenSequences, 'starts'>): Int32Array {
  return Int32Array.from({ length: starts.length - 1 }, (_, i) => starts[i + 1]! - starts[i]!);
}
