import type { Dtype } from '../tensor-data.ts';
import { PickleFunction } from './unpickle.ts';

/** A class such as torch.FloatStorage: the element type of a storage. */
class StorageType {
  constructor(readonly dtype: Dtype) {}
}

/** The memory of one tensor or of several: an entry of the archive. */
export class TorchStorage {
  constructor(
    readonly dtype: Dtype,
    readonly key: string,
    /** Elements. */
    readonly count: number,
  ) {}
}

/** A view of a storage; offset and strides count elements. It has been checked to lie within its storage. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: number[],
    readonly strides: number[],
  ) {}

  get count(): number {
    return product(this.shape);
  }

  /** Elements of the storage from the first of the tensor to its last, both included. */
  get span(): number {
    return this.count === 0 ? 0 : 1 + this.shape.reduce((sum, n, i) => sum + (n - 1) * this.strides[i], 0);
  }

  /** Whether its elements lie one after the other, row-major. */
  get isContiguous(): boolean {
    let step = 1;
    for (let i = this.shape.length - 1; i >= 0; i--) {
      if (this.shape[i] !== 1 && this.strides[i] !== step) return this.count === 0;
      step *= this.shape[i];
    }
    return true;
  }
}

/** PyTorch's own limit is 64. */
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

/** All that a file of tensors may name. */
export const TORCH_GLOBALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['collections.OrderedDict', new PickleFunction((args) => (args.length === 0 ? new Map() : undefined))],
  ['torch._utils._rebuild_tensor_v2', new PickleFunction(rebuildTensor)],
  ['torch._utils._rebuild_parameter', new PickleFunction(([data]) => asTensor(data))],
  ...Object.entries(STORAGES).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)] as const),
]);

/** `('storage', type, key, location, elements)` */
export function storageOf(id: unknown): TorchStorage | undefined {
  if (!Array.isArray(id) || id.length !== 5) return undefined;
  const [kind, type, key, , count] = id;
  const fits = kind === 'storage' && type instanceof StorageType && typeof key === 'string' && isCount(count);
  return fits ? new TorchStorage(type.dtype, key, count) : undefined;
}

/** storage, offset, shape, strides, and what is of use in training only. */
function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): TorchTensor | undefined {
  if (!(storage instanceof TorchStorage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
    return undefined;
  if (shape.length !== strides.length || shape.length > MAX_RANK) return undefined;
  const tensor = new TorchTensor(storage, offset, shape, strides);
  // More elements than the storage has would repeat some of them, and a few bytes could fill the memory.
  return tensor.count <= storage.count && offset + tensor.span <= storage.count ? tensor : undefined;
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

function product(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, 1);
}
