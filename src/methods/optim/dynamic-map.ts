/**
 * The 256 numbers that a byte can represent, in ascending order (Dettmers, 2016, arXiv 1511.04561; bitsandbytes'
 * `create_dynamic_map`). They lie in [-1, 1], or in [0, 1]. They span seven decades, and larger decades have more
 * numbers.
 */
export class DynamicMap {
  readonly values: Float32Array;
  /** The byte that represents 0. */
  readonly zero: number;
  /** Midpoints between neighbors. A number above bounds[i] is nearer to values[i + 1]. */
  readonly #bounds: Float32Array;
  /** Start of the search, by the upper 16 bits of a number: the byte of the smallest number with these bits. */
  readonly #first = new Uint8Array(2 ** 16);

  constructor(isSigned: boolean) {
    const numbers = [0, 1];
    for (let decade = 0; decade < 7; decade++) {
      const count = 2 ** (decade + (isSigned ? 0 : 1));
      const step = 0.9 / count;
      for (let i = 0; i < count; i++) {
        const [low, high] = [0.1 + step * i, 0.1 + step * (i + 1)].map(Math.fround) as [number, number];
        const mean = Math.fround(Math.fround(low + high) / 2);
        const number = Math.fround(Math.fround(10 ** (decade - 6)) * mean);
        numbers.push(number, ...(isSigned ? [-number] : []));
      }
    }
    this.values = Float32Array.from(numbers).sort();
    this.zero = this.values.indexOf(0);
    const next = (i: number) => this.values[i + 1] ?? Number.POSITIVE_INFINITY;
    this.#bounds = this.values.map((value, i) => (value + next(i)) / 2);
    const bits = new Uint32Array(1);
    const number = new Float32Array(bits.buffer);
    for (let upper = 0; upper < 2 ** 16; upper++) {
      // The smallest negative number with these upper bits has all its lower bits set.
      bits[0] = upper * 2 ** 16 + (upper >= 2 ** 15 ? 2 ** 16 - 1 : 0);
      this.#first[upper] = this.#bounds.findIndex((bound) => !(number[0]! > bound));
    }
  }

  /** Writes the byte nearest to each number. */
  encode(numbers: Float32Array, bytes: Uint8Array): void {
    const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
    const [first, bounds] = [this.#first, this.#bounds];
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      let byte = first[bits[i]! >>> 16]!;
      while (number > bounds[byte]!) byte++;
      bytes[i] = byte;
    }
  }
}
