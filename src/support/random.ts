/**
 * Counter-based random numbers. The value at a position depends only on (seed, stream, step), so a resumed run draws
 * exactly the numbers of an uninterrupted one. The generator is Threefry-2x32 with 20 rounds (Salmon et al., SC 2011).
 */
export class Random {
  readonly #key0: number;
  readonly #key1: number;
  readonly #block = new Uint32Array(2);
  #drawn = 0;

  /**
   * @param stream what the numbers are used for, such as "order" or "dropout"
   * @param step the position in training
   */
  constructor(seed: number, stream: string, step = 0) {
    threefry(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, hashString(stream), step, this.#block, 0);
    this.#key0 = this.#block[0]! | 0;
    this.#key1 = this.#block[1]! | 0;
  }

  /** Returns 32 random bits as an unsigned integer. */
  uint32(): number {
    const place = this.#drawn++ % 2;
    if (place === 0) this.uint32s(this.#drawn - 1, this.#block);
    return this.#block[place]!;
  }

  /**
   * Fills `numbers` with what the calls `first`, `first` + 1, … of {@link uint32} return, whatever was drawn before.
   *
   * @param first an even number
   * @param numbers of even length
   */
  uint32s(first: number, numbers: Uint32Array): void {
    for (let i = 0; i < numbers.length; i += 2) {
      const block = (first + i) / 2;
      threefry(this.#key0, this.#key1, block >>> 0, Math.floor(block / 2 ** 32), numbers, i);
    }
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

/**
 * The Threefry-2x32-20 block function. It writes two numbers to `out`, from `at` on. It is exported for its known-answer
 * test.
 */
export function threefry(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Uint32Array,
  at: number,
): void {
  let a = key0 | 0;
  let b = key1 | 0;
  let c = 0x1bd11bda ^ key0 ^ key1;
  let x = (counter0 + a) | 0;
  let y = (counter1 + b) | 0;
  for (let injection = 1; injection <= 5; injection++) {
    const isOdd = injection % 2 === 1;
    x = (x + y) | 0;
    y = x ^ rotate(y, isOdd ? 13 : 17);
    x = (x + y) | 0;
    y = x ^ rotate(y, isOdd ? 15 : 29);
    x = (x + y) | 0;
    y = x ^ rotate(y, isOdd ? 26 : 16);
    x = (x + y) | 0;
    y = x ^ rotate(y, isOdd ? 6 : 24);
    const first = a;
    a = b;
    b = c;
    c = first;
    x = (x + a) | 0;
    y = (y + b + injection) | 0;
  }
  out[at] = x;
  out[at + 1] = y;
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}

/** The FNV-1a hash of the text's UTF-16 code units. */
function hashString(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
