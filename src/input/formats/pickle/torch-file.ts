import { elementCount } from '../../../support/element-count.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { excerptName } from '../excerpt.ts';
import type { TensorInfo } from '../safetensors.ts';
import { decodeTensor, elementRange, itemSize, type TensorData, toFloat32 } from '../tensor-data.ts';
import { unknownTensor } from '../unknown-tensor.ts';
import { namedTensors } from './named-tensors.ts';
import { openTorchArchive } from './torch-archive.ts';
import { openTorchLegacy } from './torch-legacy.ts';
import type { TorchContent, TorchTensor } from './torch-tensor.ts';

/** Maximum total size of all tensors, relative to the file's size. Tensors may share bytes, as tied weights do. */
const MAX_SHARING = 4;
const ZIP_START = [0x50, 0x4b];
const PICKLE_START = 0x80;

/** A file with a dictionary of tensors, saved by `torch.save` (`adapter_model.bin`, `pytorch_model.bin`). */
export class TorchFile {
  readonly #source: ByteSource;
  readonly #where: string;
  readonly #tensors = new Map<string, { tensor: TorchTensor; info: TensorInfo }>();
  /** Caches the last tensor that was read in part, if it is not row-major. Its next part will probably follow. */
  #gathered?: { name: string; data: TensorData };

  /**
   * Reads the list of tensors without executing the pickle. The tensors' bytes are read on request.
   *
   * @param where the file's name in messages
   * @throws UserError for a file that is damaged or big-endian, or contains anything but tensors
   */
  constructor(source: ByteSource, where: string) {
    this.#source = source;
    this.#where = where;
    const content = openContent(source, where);
    let total = 0;
    for (const [name, tensor] of namedTensors(content.value, where)) {
      const info = placeOf(tensor, content, `${where}: tensor ${excerptName(name)}`);
      this.#tensors.set(name, { tensor, info });
      total += tensor.count * itemSize(info.dtype);
    }
    if (total > MAX_SHARING * source.size) {
      throw new UserError({
        where,
        fault: `has tensors of ${total} bytes in a file of ${source.size}, more than the maximum of ${MAX_SHARING} times its size`,
      });
    }
  }

  names(): string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Throws a UserError that suggests similar names if the tensor does not exist. */
  info(name: string): TensorInfo {
    return this.#find(name).info;
  }

  /** Reads a tensor in its own type (F16 and BF16 as raw bits), in row-major order. */
  read(name: string): TensorData {
    const { tensor, info } = this.#find(name);
    const data = decodeTensor(info, this.#source.read(info.begin, info.end));
    return info.axes ? gatherStrided(data, tensor.shape, tensor.strides) : data;
  }

  /** Like TensorFile.readFloat32. A partial read of a tensor that is not row-major loads the whole tensor. */
  readFloat32(name: string, start?: number, end?: number): Float32Array {
    const { tensor, info } = this.#find(name);
    const range = elementRange(tensor.count, start, end);
    const size = itemSize(info.dtype);
    const bytes = info.axes
      ? bytesOf(this.#gather(name, range.end - range.start < tensor.count).slice(range.start, range.end))
      : this.#source.read(info.begin + range.start * size, info.begin + range.end * size);
    return toFloat32(info, bytes, `${this.#where}: tensor ${name}`);
  }

  #gather(name: string, keep: boolean): TensorData {
    if (this.#gathered?.name === name) return this.#gathered.data;
    const data = this.read(name);
    this.#gathered = keep ? { name, data } : undefined;
    return data;
  }

  #find(name: string) {
    const tensor = this.#tensors.get(name);
    if (tensor) return tensor;
    throw unknownTensor(name, this.names(), this.#where);
  }
}

function openContent(source: ByteSource, where: string): TorchContent {
  const start = source.read(0, Math.min(ZIP_START.length, source.size));
  if (ZIP_START.every((byte, i) => start[i] === byte)) return openTorchArchive(source, where);
  if (start[0] === PICKLE_START) return openTorchLegacy(source, where);
  throw new UserError({
    where,
    fault: 'is not a file of torch.save (a zip archive or a pickle)',
    hint: 'The file is damaged. Download it again.',
  });
}

function placeOf(tensor: TorchTensor, { locate }: TorchContent, where: string): TensorInfo {
  const { storage, shape, offset, span, axes } = tensor;
  const size = itemSize(storage.dtype);
  const range = locate(storage.key);
  const bytes = range && range.end - range.begin;
  if (!range || bytes !== storage.count * size) {
    throw new UserError({
      where,
      fault:
        bytes === undefined
          ? 'has no such storage'
          : `has a storage of ${bytes} bytes instead of ${storage.count * size}`,
      hint: 'The file is damaged. Download it again.',
    });
  }
  const begin = range.begin + offset * size;
  const info = { dtype: storage.dtype, shape: [...shape], begin, end: begin + span * size };
  if (axes?.every((axis, place) => axis === place)) return info;
  return { ...info, axes: axes ?? 'scattered' };
}

function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Copies the elements of a strided view in row-major order. The view starts at data[0] and must lie within
 * `data`.
 */
function gatherStrided<T extends TensorData>(
  data: T,
  shape: readonly number[],
  strides: readonly number[],
): T {
  const count = elementCount(shape);
  const gathered = new (data.constructor as new (length: number) => T)(count);
  const index = new Array<number>(shape.length).fill(0);
  let place = 0;
  for (let i = 0; i < count; i++) {
    gathered[i] = data[place]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      place -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return gathered;
}
