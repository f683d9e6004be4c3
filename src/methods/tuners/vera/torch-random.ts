const SIZE = 624;
const SHIFT = 397;

/**
 * PyTorch's generator on the CPU: MT19937 (Matsumoto and Nishimura, 1998). VeRA's files may contain only the seed of
 * the random matrices, so they must be drawn with the same generator.
 */
export class TorchRandom {
  readonly #state = new Uint32Array(SIZE);
  #at = SIZE;

  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const before = this.#state[i - 1]! ^ (this.#state[i - 1]! >>> 30);
      this.#state[i] = Math.imul(before, 1_812_433_253) + i;
    }
  }

  /** Fills a tensor as `tensor.uniform_(from, to)` does. */
  uniform(tensor: Float32Array, from: number, to: number): void {
    const [least, width] = [Math.fround(from), Math.fround(Math.fround(to) - Math.fround(from))];
    // 24 bits are the precision of float32.
    for (let i = 0; i < tensor.length; i++)
      tensor[i] = ((this.#bits() & 0xff_ffff) / 2 ** 24) * width + least;
  }

  #bits(): number {
    if (this.#at === SIZE) this.#turn();
    let bits = this.#state[this.#at++]!;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c_5680;
    bits ^= (bits << 15) & 0xefc6_0000;
    return (bits ^ (bits >>> 18)) >>> 0;
  }

  #turn(): void {
    for (let i = 0; i < SIZE; i++) {
      const next = this.#state[(i + 1) % SIZE]!;
      const mixed = (this.#state[i]! & 0x8000_0000) | (next & 0x7fff_ffff);
      this.#state[i] = this.#state[(i + SHIFT) % SIZE]! ^ (mixed >>> 1) ^ (next & 1 ? 0x9908_b0df : 0);
    }
    this.#at = 0;
  }
}
