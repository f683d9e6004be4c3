/**
 * Counter-based random numbers. The value at a position depends only on (seed, stream, step), so a resumed run draws
 * exactly the numbers of an uninterrupted one. The generator is Threefry-2x32 with 20 rounds (Salmon et al., SC 2011).
 */
export class Random {
  readonly #key0: number;
  readonly #key1: number;
  #counter = 0;
  #spare: number | undefined;

  /**
   * @param stream what the numbers are used for, such as "order" or "dropout"
   * @param step the position in training
   */
  constructor(seed: number, stream: string, step = 0) {
    const [a, b] = threefry(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, hashString(stream), step);
    this.#key0 = a;
    this.#key1 = b;
  }

  /** Returns 32 random bits as an unsigned integer. */
  uint32(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    const counter = this.#counter++;
    const [a, b] = threefry(this.#key0, this.#key1, counter >>> 0, Math.floor(counter / 2 ** 32));
    this.#spare = b;
    return a;
  }

  /** Returns a uniform number in [0, 1) with 32 bits. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Returns a random integer in [0, n). The bias is below n / 2^32. */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Returns a standard normal number (Box-Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) / 2 ** 32));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Returns `length` normal numbers with the given standard deviation. */
  normals(length: number, std: number): Float32Array {
    return Float32Array.from({ length }, () => this.normal() * std);
  }

  /** Returns the numbers 0 to n - 1 in a uniformly random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }
}

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

/** The Threefry-2x32-20 block function. It is exported for its known-answer test. */
export function threefry(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const keys = [key0 | 0, key1 | 0, 0x1bd11bda ^ key0 ^ key1];
  let x = (counter0 + keys[0]!) | 0;
  let y = (counter1 + keys[1]!) | 0;
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0;
    const r = ROTATIONS[round & 7]!;
    y = ((y << r) | (y >>> (32 - r))) ^ x;
    if ((round & 3) === 3) {
      const injection = (round + 1) >> 2;
      x = (x + keys[injection % 3]!) | 0;
      y = (y + keys[(injection + 1) % 3]! + injection) | 0;
    }
  }
  return [x >>> 0, y >>> 0];
}

/** The FNV-1a hash of the text's UTF-16 code units. */
function hashString(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
