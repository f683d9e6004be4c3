import { elementCount } from '../../../support/arrays.ts';
import type { Dtype } from '../tensor-data.ts';
import { PickleFunction } from './pickle-machine.ts';
import type { EntryRange } from './zip.ts';

/** The content of a `torch.save` file, in either format. */
export interface TorchContent {
  /** The saved value, with a TorchTensor for each tensor. */
  value: unknown;
  /** The range of a storage's bytes in the file; undefined if the storage does not exist. */
  locate(key: string): EntryRange | undefined;
}

/** Maximum size of a pickle. It has about 200 bytes per tensor, and models have some thousand tensors. */
export const MAX_PICKLE_BYTES = 2 ** 24;

/** Memory that one or more tensors share. */
class TorchStorage {
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

/** A storage's element type, which a pickle names by a class such as torch.FloatStorage. */
class StorageType {
  constructor(readonly dtype: Dtype) {}
}

/** Maximum number of axes, as in PyTorch. */
const MAX_RANK = 64;

const STORAGES: Readonly<Record<string, Dtype>> = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** The globals that a file of tensors may name. */
export const TORCH_GLOBALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['collections.OrderedDict', new PickleFunction((args) => (args.length === 0 ? new Map() : undefined))],
  ['torch._utils._rebuild_tensor_v2', new PickleFunction(rebuildTensor)],
  ['torch._utils._rebuild_parameter', new PickleFunction(([data]) => asTensor(data))],
  ...Object.entries(STORAGES).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)] as const),
]);

/**
 * The storage that a persistent id describes: `('storage', type, key, location, elements)`. The old format
 * adds a view. It must be None, because PyTorch 1.0 removed views.
 */
export function readStorage(id: unknown): TorchStorage | undefined {
  if (!Array.isArray(id) || id.length < 5 || id.length > 6) return undefined;
  const [kind, type, key, , count, view = null] = id;
  const fits = kind === 'storage' && type instanceof StorageType && typeof key === 'string' && isCount(count);
  return fits && view === null ? new TorchStorage(type.dtype, key, count) : undefined;
}

/** Builds a tensor from storage, offset, shape and strides. The other arguments only matter for training. */
function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): TorchTensor | undefined {
  if (!(storage instanceof TorchStorage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
    return undefined;
  if (shape.length !== strides.length || shape.length > MAX_RANK) return undefined;
  return TorchTensor.of(storage, offset, shape, strides);
}

function asTensor(value: unknown): TorchTensor | undefined {
  return value instanceof TorchTensor ? value : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
