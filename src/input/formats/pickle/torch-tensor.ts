import { elementCount } from '../../../support/element-count.ts';
import type { Dtype } from '../tensor-data.ts';
import type { ByteRange } from './zip-directory.ts';

/** The content of a `torch.save` file, in either format. */
export interface TorchContent {
  /** The saved value, with a TorchTensor for each tensor. */
  value: unknown;
  /** The range of a storage's bytes in the file; undefined if the storage does not exist. */
  locate(key: string): ByteRange | undefined;
}

/** Maximum size of a pickle. It has about 200 bytes per tensor, and models have some thousand tensors. */
export const MAX_PICKLE_BYTES = 2 ** 24;

/** Memory that one or more tensors share. */
export class TorchStorage {
  constructor(
    readonly dtype: Dtype,
    readonly key: string,
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
    /** Number of storage elements from the tensor's first element to its last. */
    readonly span: number,
  ) {}

  /**
   * Creates a view. Undefined if the view exceeds its storage, or if it has more elements than the storage
   * and thus repeats some.
   */
  static of(
    storage: TorchStorage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ): TorchTensor | undefined {
    const count = shape.includes(0) ? 0 : elementCount(shape);
    const span = count === 0 ? 0 : 1 + shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis]!, 0);
    // Without this limit, a view that repeats a few bytes could fill the memory.
    const fits = count <= storage.count && offset + span <= storage.count;
    return fits ? new TorchTensor(storage, offset, shape, strides, count, span) : undefined;
  }

  /**
   * The order of the axes in the storage, slowest first: [0, 1, …] if row-major. Undefined if the elements
   * are not contiguous.
   */
  get axes(): number[] | undefined {
    const { shape, strides } = this;
    const all = shape.map((_, axis) => axis);
    if (this.count === 0 || this.#liesIn(all)) return all;
    // The stride of an axis of size one has no effect.
    const [single, long] = [all.filter((axis) => shape[axis] === 1), all.filter((axis) => shape[axis]! > 1)];
    const order = [...single, ...long.sort((a, b) => strides[b]! - strides[a]!)];
    return this.#liesIn(order) ? order : undefined;
  }

  #liesIn(order: readonly number[]): boolean {
    let step = 1;
    for (const axis of order.toReversed()) {
      if (this.shape[axis] !== 1 && this.strides[axis] !== step) return false;
      step *= this.shape[axis]!;
    }
    return true;
  }
}
