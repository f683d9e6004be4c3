import { elementCount, viewBytes } from '../../../support/arrays.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import type { LocalSource } from '../byte-source.ts';
import { excerpt, excerptName } from '../excerpt.ts';
import { type TensorFile, type TensorInfo, unknownTensor } from '../safetensors.ts';
import { decodeTensor, elementRange, itemSize, type TensorData, toFloat32 } from '../tensor-data.ts';
import { PickleList, PickleReader } from './pickle-machine.ts';
import {
  MAX_PICKLE_BYTES,
  readStorage,
  TORCH_GLOBALS,
  type TorchContent,
  TorchTensor,
} from './torch-tensor.ts';
import { unpickle } from './unpickle.ts';
import { openStoredZip, type Zip } from './zip.ts';

/** The tensors of a dictionary, by name. Throws a UserError for any other value, as transformers does. */
function* namedTensors(value: unknown, where: string): Generator<[string, TorchTensor]> {
  if (!(value instanceof Map)) {
    throw new InvalidFile({
      where,
      fault: `must be a dictionary of tensors, got ${nameKind(value)}`,
      hint: SAVE_TENSORS,
    });
  }
  for (const [name, tensor] of value) {
    if (typeof name === 'string' && tensor instanceof TorchTensor) yield [name, tensor];
    else {
      const hint = tensor instanceof Map ? takeOut(excerpt(name)) : SAVE_TENSORS;
      throw new InvalidFile({
        where,
        fault: `must be a dictionary of tensors, got ${nameKind(tensor)} under ${excerpt(name)}`,
        hint,
      });
    }
  }
}

const SAVE_TENSORS = 'Save the tensors alone: torch.save(model.state_dict(), ...).';

function takeOut(name: string): string {
  return `It is a training checkpoint. Save only the value of ${name} with torch.save.`;
}

function nameKind(value: unknown): string {
  if (value instanceof Map) return 'a dictionary';
  if (value instanceof PickleList) return 'a list';
  if (value instanceof TorchTensor) return 'a tensor';
  if (value === null) return 'None';
  const kinds: Record<string, string> = { string: 'a text', number: 'a number', boolean: 'a truth value' };
  return kinds[typeof value] ?? 'something else';
}

const BYTE_ORDER_BYTES = 64;

/**
 * Opens a file in the format since PyTorch 1.6: a zip archive with one pickle, and one entry per storage.
 * Throws a UserError.
 */
function openTorchArchive(source: LocalSource): TorchContent {
  const where = source.path;
  const zip = openStoredZip(source);
  const folder = findFolder(zip, where);
  checkByteOrder(source, zip, `${folder}byteorder`);
  const { begin, end } = zip.locate(`${folder}data.pkl`)!;
  if (end - begin > MAX_PICKLE_BYTES) {
    throw new InvalidFile({
      where,
      fault: `has a pickle of ${end - begin} bytes, more than the maximum of ${MAX_PICKLE_BYTES}`,
    });
  }
  const reader = new PickleReader(source.read(begin, end));
  const value = unpickle(reader, { globals: TORCH_GLOBALS, persistent: readStorage, where });
  return { value, locate: (key) => zip.locate(`${folder}data/${key}`) };
}

/** The archive's top folder, with a trailing slash. */
function findFolder(zip: Zip, where: string): string {
  const pickles = zip.names().filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length === 1) return pickles[0]!.slice(0, -'data.pkl'.length);
  throw new InvalidFile({ where, fault: `has ${pickles.length} data.pkl files instead of one` });
}

function checkByteOrder(source: LocalSource, zip: Zip, name: string): void {
  const range = zip.locate(name);
  if (!range) return;
  const end = Math.min(range.end, range.begin + BYTE_ORDER_BYTES);
  const order = new TextDecoder().decode(source.read(range.begin, end));
  if (order === 'little') return;
  throw new InvalidFile({
    where: source.path,
    fault: `has tensors in the byte order ${excerpt(order)} instead of little-endian`,
    hint: 'Load the file with PyTorch and save it as safetensors.',
  });
}

/** Maximum total size of all tensors, relative to the file's size. Tensors may share bytes, as tied weights do. */
const MAX_SHARING = 4;
const ZIP_START = [0x50, 0x4b];
const PICKLE_START = 0x80;

/** A file with a dictionary of tensors, saved by `torch.save` (`adapter_model.bin`, `pytorch_model.bin`). */
export class TorchFile implements TensorFile {
  readonly path: string;
  readonly #source: LocalSource;
  readonly #tensors = new Map<string, { tensor: TorchTensor; info: TensorInfo }>();
  /** Caches the last tensor that was read in part, if it is not row-major. Its next part will probably follow. */
  #gathered?: { name: string; data: TensorData };

  /**
   * Reads the list of tensors without executing the pickle. The tensors' bytes are read on request.
   *
   * @throws UserError for a file that is damaged or big-endian, or contains anything but tensors
   */
  private constructor(source: LocalSource) {
    this.#source = source;
    this.path = source.path;
    const content = openContent(source);
    let total = 0;
    for (const [name, tensor] of namedTensors(content.value, this.path)) {
      const info = findPlace(tensor, content, `${this.path}: tensor ${excerptName(name)}`);
      this.#tensors.set(name, { tensor, info });
      total += tensor.count * itemSize(info.dtype);
    }
    if (total > MAX_SHARING * source.size) {
      throw new InvalidFile({
        where: this.path,
        fault: `has tensors of ${total} bytes in a file of ${source.size}, more than the maximum of ${MAX_SHARING} times its size`,
      });
    }
  }

  /** Opens a file, which is closed if that fails. Throws a UserError like the constructor. */
  static open(source: LocalSource): TorchFile {
    try {
      return new TorchFile(source);
    } catch (error) {
      source.close();
      throw error;
    }
  }

  close(): void {
    this.#source.close();
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
      ? viewBytes(this.#gather(name, range.end - range.start < tensor.count).slice(range.start, range.end))
      : this.#source.read(info.begin + range.start * size, info.begin + range.end * size);
    return toFloat32(info, bytes, `${this.path}: tensor ${name}`);
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
    throw unknownTensor(name, this.names(), this.path);
  }
}

function openContent(source: LocalSource): TorchContent {
  const start = source.read(0, Math.min(ZIP_START.length, source.size));
  if (ZIP_START.every((byte, i) => start[i] === byte)) return openTorchArchive(source);
  const isOld = start[0] === PICKLE_START;
  throw new InvalidFile({
    where: source.path,
    fault: isOld ? 'is a file of PyTorch before 1.6' : 'is not a zip archive of torch.save',
    hint: isOld
      ? 'Load it with PyTorch and save it as safetensors.'
      : 'The file is damaged. Download it again.',
  });
}

function findPlace(tensor: TorchTensor, { locate }: TorchContent, where: string): TensorInfo {
  const { storage, shape, offset, span, axes } = tensor;
  const size = itemSize(storage.dtype);
  const range = locate(storage.key);
  const bytes = range && range.end - range.begin;
  if (!range || bytes !== storage.count * size) {
    throw new InvalidFile({
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
