import { elementCount } from '../../support/element-count.ts';
import type { Dtype } from '../tensor-data.ts';

/** The memory of one or more tensors. */
export class TorchStorage {
  constructor(
    readonly dtype: Dtype,
    readonly key: string,
    /** Number of elements. */
    readonly count: number,
  ) {}
}

/** A view of a storage; offset and strides count elements. */
export class TorchTensor {
  private constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly count: number,
    /** Number of elements of the storage from the first element of the tensor to its last, inclusive. */
    readonly span: number,
  ) {}

  /**
   * Creates a view. Undefined if it exceeds its storage, or has more elements than the storage and so repeats some.
   */
  static of(
    storage: TorchStorage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ): TorchTensor | undefined {
    const count = shape.includes(0) ? 0 : elementCount(shape);
    const span = count === 0 ? 0 : 1 + shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis], 0);
    // Without this limit, a few repeated bytes could fill the memory.
    const fits = count <= storage.count && offset + span <= storage.count;
    return fits ? new TorchTensor(storage, offset, shape, strides, count, span) : undefined;
  }

  /**
   * The order of the axes in the storage, slowest first: [0, 1, …] if row-major, undefined if other elements lie
   * between them.
   */
  get axes(): number[] | undefined {
    const { shape, strides } = this;
    const all = shape.map((_, axis) => axis);
    if (this.count === 0 || this.#liesIn(all)) return all;
    // The stride of an axis of size one has no meaning.
    const [single, long] = [all.filter((axis) => shape[axis] === 1), all.filter((axis) => shape[axis] > 1)];
    const order = [...single, ...long.sort((a, b) => strides[b] - strides[a])];
    return this.#liesIn(order) ? order : undefined;
  }

  #liesIn(order: readonly number[]): boolean {
    let step = 1;
    for (const axis of order.toReversed()) {
      if (this.shape[axis] !== 1 && this.strides[axis] !== step) return false;
      step *= this.shape[axis];
    }
    return true;
  }
}
