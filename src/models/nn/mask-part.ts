import { type Dimension, evaluateDimension } from '../../engine/graph/dimension.ts';
import { elementCount } from '../../support/arrays.ts';

/** The part of a batch to compute. */
export interface BatchRows {
  /** The first example, and the end (exclusive). */
  start: number;
  end: number;
  /** Indices of its labeled tokens among the batch's labeled tokens, in order. */
  labeled: Int32Array;
}

/**
 * Cuts the values of some examples out of a tensor of the whole batch. Rows of hidden states are sequence-major,
 * [tokens · batch, …]. Attention weights are ordered by example, [batch · heads, …]. Rows of labeled tokens are in
 * token order.
 */
export class MaskPart {
  readonly #shape: readonly Dimension[];
  readonly #order: 'shared' | 'examples' | 'tokens' | 'labeled';
  /** Reused for every batch. */
  #memory = new Float32Array(0);

  /** @throws Error if the tensor's first axis has another form */
  constructor(shape: readonly Dimension[]) {
    this.#shape = shape;
    this.#order = findOrder(shape);
  }

  /**
   * @param read returns elements [start, end) of the tensor
   * @param symbols sizes of the whole batch
   */
  cut(
    read: (start: number, end: number) => Float32Array,
    symbols: Readonly<Record<string, number>>,
    { start, end, labeled }: BatchRows,
  ): { data: Float32Array; dims: number[] } {
    const sizes = { ...symbols, batch: end - start, labeled: labeled.length };
    const dims = this.#shape.map((size) => evaluateDimension(size, sizes));
    const length = elementCount(dims);
    if (this.#order === 'shared') return { data: read(0, length), dims };
    const { batch } = symbols;
    if (this.#order === 'examples') {
      const width = length / (end - start);
      return { data: read(start * width, end * width), dims };
    }
    const data = this.#room(length);
    if (this.#order === 'labeled') {
      const width = length / labeled.length;
      labeled.forEach((row, i) => {
        data.set(read(row * width, (row + 1) * width), i * width);
      });
      return { data, dims };
    }
    const width = elementCount(dims.slice(1));
    const count = (end - start) * width;
    for (let from = start * width, to = 0; to < data.length; from += batch! * width, to += count)
      data.set(read(from, from + count), to);
    return { data, dims };
  }

  #room(length: number): Float32Array {
    if (this.#memory.length < length) this.#memory = new Float32Array(length);
    return this.#memory.subarray(0, length);
  }
}

function findOrder(shape: readonly Dimension[]): 'shared' | 'examples' | 'tokens' | 'labeled' {
  const [first, ...others] = shape.map((size) => String(size).split(/[*+]/)) as [string[], ...string[][]];
  const isOfBatch = (names: readonly string[]) => names.includes('batch') || names.includes('labeled');
  if (!others.some(isOfBatch)) {
    const names = first.filter((name) => !/^\d+$/.test(name));
    if (!isOfBatch(names)) return 'shared';
    if (names.length === 1) return names[0] === 'batch' ? 'examples' : 'labeled';
    if (names.length === 2 && first.length === 2) return 'tokens';
  }
  throw new Error(`no order of examples is known for dropout over [${shape.join(', ')}]`);
}
