import { lazy } from '../../support/options.ts';
import {
  type Moments,
  type OptimizedTensor,
  type Optimizer,
  type OptimizerSettings,
  type OptimizerState,
  totalLength,
} from './moment-optimizer.ts';

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

/** The number of values that share a scale. */
const BLOCK = 256;
/** Smaller tensors have 32-bit moments, as in bitsandbytes. */
const MIN_SIZE = 4096;

const MAPS = lazy(() => ({ m: new DynamicMap(true), v: new DynamicMap(false) }));
const MOMENTS = ['m', 'v'] as const;

/**
 * A tensor and its moments. `at` is their start in the array of bytes, or in the array of 32-bit moments. `scale` is
 * the index of their first scale.
 */
interface Part extends OptimizedTensor {
  at: number;
  scale?: number;
}

type Vectors = { m: Float32Array; v: Float32Array } & {
  [Name in 'm' | 'v' as `${Name}.bytes`]: Uint8Array;
} & { [Name in 'm' | 'v' as `${Name}.scales`]: Float32Array };

/**
 * AdamW with 8-bit moments (Dettmers et al., ICLR 2022), equal to bitsandbytes' `AdamW8bit`. 256 values of a tensor
 * share a scale: their largest magnitude. A step decodes a block's moments, applies AdamW, and encodes them.
 */
export class AdamW8bit implements Optimizer {
  readonly #settings: OptimizerSettings;
  readonly #parts: readonly Part[];
  /** The decoded moments of a block. The arrays are reused, because allocating them would take longer than the step. */
  readonly #decoded = { m: new Float32Array(BLOCK), v: new Float32Array(BLOCK) };
  #vectors: Vectors;
  #step = 0;

  constructor(tensors: readonly OptimizedTensor[], settings: OptimizerSettings) {
    this.#settings = settings;
    let [bytes, small, scales] = [0, 0, 0];
    this.#parts = tensors.map((tensor): Part => {
      const size = tensor.end - tensor.start;
      const isLarge = size >= MIN_SIZE;
      const part = { ...tensor, at: isLarge ? bytes : small, ...(isLarge && { scale: scales }) };
      if (isLarge) [bytes, scales] = [bytes + size, scales + Math.ceil(size / BLOCK)];
      else small += size;
      return part;
    });
    this.#vectors = {
      m: new Float32Array(small),
      v: new Float32Array(small),
      'm.bytes': new Uint8Array(bytes).fill(MAPS().m.zero),
      'v.bytes': new Uint8Array(bytes).fill(MAPS().v.zero),
      'm.scales': new Float32Array(scales),
      'v.scales': new Float32Array(scales),
    };
  }

  /** The size in bytes of the moments of a tensor with `size` values. */
  static bytes(size: number): number {
    return size < MIN_SIZE ? 8 * size : 2 * (size + 4 * Math.ceil(size / BLOCK));
  }

  step(values: Float32Array, gradient: Float32Array, lr: number): void {
    this.#step++;
    const { weightDecay } = this.#settings;
    for (const part of this.#parts) {
      const kept = part.decays ? 1 - lr * part.rate * weightDecay : 1;
      for (const block of splitBlocks(part)) {
        const m = this.#read('m', block);
        const v = this.#read('v', block);
        const blockValues = values.subarray(block.start, block.end);
        this.#update(blockValues, gradient.subarray(block.start, block.end), m, v, {
          lr: lr * part.rate,
          kept,
        });
        this.#write('m', block, m);
        this.#write('v', block, v);
      }
    }
  }

  state(): OptimizerState {
    return { step: this.#step, vectors: this.#vectors };
  }

  restore({ step, vectors }: OptimizerState): void {
    for (const [name, { length }] of Object.entries(this.#vectors))
      if (vectors[name]?.length !== length)
        throw new Error(`${name} has ${vectors[name]?.length} elements in place of ${length}`);
    this.#vectors = vectors as unknown as Vectors;
    this.#step = step;
  }

  moments(): Moments {
    const length = totalLength(this.#parts);
    const moments = { m: new Float32Array(length), v: new Float32Array(length), step: this.#step };
    for (const block of this.#parts.flatMap(splitBlocks))
      for (const name of MOMENTS) moments[name].set(this.#read(name, block), block.start);
    return moments;
  }

  adopt({ step, ...moments }: Moments): void {
    this.#step = step;
    for (const block of this.#parts.flatMap(splitBlocks))
      for (const name of MOMENTS) this.#write(name, block, moments[name].slice(block.start, block.end));
  }

  #update(
    values: Float32Array,
    gradient: Float32Array,
    m: Float32Array,
    v: Float32Array,
    { lr, kept }: { lr: number; kept: number },
  ): void {
    const { betas, eps } = this.#settings;
    const [beta1, beta2] = betas;
    const stepSize = lr / (1 - beta1 ** this.#step);
    const root = Math.sqrt(1 - beta2 ** this.#step);
    for (let i = 0; i < values.length; i++) {
      m[i] = Math.fround(m[i]! * beta1) + (1 - beta1) * gradient[i]!;
      v[i] = Math.fround(v[i]! * beta2) + (1 - beta2) * gradient[i]! * gradient[i]!;
      const denominator = Math.fround(Math.fround(Math.sqrt(v[i]!) / root) + eps);
      values[i] = Math.fround(values[i]! * kept) - (stepSize * m[i]!) / denominator;
    }
  }

  /**
   * Returns the moments of a block. For a small tensor, they are the stored values themselves. Other moments are decoded into a
   * buffer that the next call overwrites.
   */
  #read(name: 'm' | 'v', { at, end, start, scale }: Part): Float32Array {
    const size = end - start;
    if (scale === undefined) return this.#vectors[name].subarray(at, at + size);
    const { values } = MAPS()[name];
    const factor = this.#vectors[`${name}.scales`][scale]!;
    const bytes = this.#vectors[`${name}.bytes`];
    const decoded = this.#decoded[name].subarray(0, size);
    for (let i = 0; i < size; i++) decoded[i] = values[bytes[at + i]!]! * factor;
    return decoded;
  }

  /** Stores the moments of a block. Overwrites `moments`. */
  #write(name: 'm' | 'v', { at, end, start, scale }: Part, moments: Float32Array): void {
    if (scale === undefined) {
      this.#vectors[name].set(moments, at);
      return;
    }
    let largest = 0;
    for (let i = 0; i < moments.length; i++) {
      const magnitude = Math.abs(moments[i]!);
      if (magnitude > largest) largest = magnitude;
    }
    this.#vectors[`${name}.scales`][scale] = largest;
    const inverse = largest > 0 ? Math.fround(1 / largest) : 0;
    for (let i = 0; i < moments.length; i++) moments[i]! *= inverse;
    MAPS()[name].encode(moments, this.#vectors[`${name}.bytes`].subarray(at, at + end - start));
  }
}

/** The blocks of a tensor. A small tensor is a single block. */
function splitBlocks(part: Part): Part[] {
  const { start, end, at, scale } = part;
  if (scale === undefined) return end > start ? [part] : [];
  return Array.from({ length: Math.ceil((end - start) / BLOCK) }, (_, i) => {
    const from = start + i * BLOCK;
    return { ...part, start: from, end: Math.min(from + BLOCK, end), at: at + i * BLOCK, scale: scale + i };
  });
}
