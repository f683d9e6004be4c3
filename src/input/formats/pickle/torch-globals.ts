import type { Dtype } from '../tensor-data.ts';
import { PickleFunction } from './pickle-machine.ts';
import { TorchStorage, TorchTensor } from './torch-tensor.ts';

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
export function storageOf(id: unknown): TorchStorage | undefined {
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
