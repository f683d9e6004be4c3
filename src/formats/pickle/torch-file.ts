import { UserError } from '../../support/user-error.ts';
import type { ByteSource } from '../byte-source.ts';
import type { TensorInfo } from '../safetensors.ts';
import { decodeTensor, itemSize, type TensorData, toFloat32 } from '../tensor-data.ts';
import { unknownTensor } from '../unknown-tensor.ts';
import { openStoredZip, type StoredZip } from './stored-zip.ts';
import { gatherStrided } from './strided.ts';
import { storageOf, TORCH_GLOBALS, TorchTensor } from './torch-tensor.ts';
import { unpickle } from './unpickle.ts';

/** A tensor's place; where it is not contiguous, its elements lie scattered in that range. */
export interface TorchTensorInfo extends TensorInfo {
  isContiguous: boolean;
}

/** Some 150 bytes a tensor, and the largest models have some 10,000. */
const MAX_PICKLE_BYTES = 2 ** 24;
/** Tensors may share their bytes, as tied weights do: so many times the file all of them may take. */
const MAX_SHARING = 4;
const BYTE_ORDER_BYTES = 64;

/** A file that `torch.save` made of a dictionary of tensors (`adapter_model.bin`, `pytorch_model.bin`). */
export class TorchFile {
  readonly #source: ByteSource;
  readonly #where: string;
  readonly #tensors = new Map<string, { tensor: TorchTensor; info: TorchTensorInfo }>();

  /**
   * Reads what tensors there are, executing nothing; their bytes are read when asked for.
   *
   * @param where the file's name for messages
   * @throws UserError for a file that is damaged, in the old format, big-endian, or holds anything but tensors
   */
  constructor(source: ByteSource, where: string) {
    this.#source = source;
    this.#where = where;
    checkStart(source, where);
    const zip = openStoredZip(source, where);
    const folder = findFolder(zip, where);
    checkByteOrder(source, zip, `${folder}byteorder`, where);
    const pickle = zip.locate(`${folder}data.pkl`)!;
    const size = pickle.end - pickle.begin;
    if (size > MAX_PICKLE_BYTES) {
      throw new UserError({
        where,
        expected: `a pickle of at most ${MAX_PICKLE_BYTES} bytes`,
        got: `${size}`,
      });
    }
    const options = { globals: TORCH_GLOBALS, persistent: storageOf, where };
    const value = unpickle(source.read(pickle.begin, pickle.end), options);
    let total = 0;
    for (const [name, tensor] of tensorsOf(value, where)) {
      const info = placeOf(tensor, zip, folder, `${where}: tensor ${name.slice(0, 200)}`);
      this.#tensors.set(name, { tensor, info });
      total += tensor.count * itemSize(info.dtype);
    }
    if (total > MAX_SHARING * source.size) {
      const expected = `tensors of at most ${MAX_SHARING} times its size together`;
      throw new UserError({ where, expected, got: `${total} bytes in a file of ${source.size}` });
    }
  }

  names(): string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Throws a UserError with the nearest names where there is no such tensor. */
  info(name: string): TorchTensorInfo {
    return this.#find(name).info;
  }

  /** The tensor in its own type (F16 and BF16 as raw bits), row-major. */
  read(name: string): TensorData {
    const { tensor, info } = this.#find(name);
    const data = decodeTensor(info, this.#source.read(info.begin, info.end));
    return info.isContiguous ? data : gatherStrided(data, tensor.shape, tensor.strides);
  }

  /** A floating-point tensor, or its elements [start, end), as f32. Throws a UserError for integer types. */
  readFloat32(name: string, start = 0, end?: number): Float32Array {
    const { dtype, begin, isContiguous, ...info } = this.info(name);
    const size = itemSize(dtype);
    const where = `${this.#where}: tensor ${name}`;
    if (!isContiguous) {
      const { buffer, byteOffset, byteLength } = this.read(name);
      return toFloat32({ dtype }, new Uint8Array(buffer, byteOffset, byteLength), where).slice(start, end);
    }
    const last = end === undefined ? info.end : begin + end * size;
    return toFloat32({ dtype }, this.#source.read(begin + start * size, last), where);
  }

  #find(name: string) {
    const found = this.#tensors.get(name);
    if (found) return found;
    throw unknownTensor(name, this.names(), this.#where);
  }
}

function checkStart(source: ByteSource, where: string): void {
  const [first, second] = source.read(0, Math.min(2, source.size));
  if (first === 0x50 && second === 0x4b) return;
  const isOld = first === 0x80;
  throw new UserError({
    where,
    expected: 'a file of torch.save (a zip archive)',
    got: isOld ? 'one in the format of PyTorch before 1.6' : 'something else',
    hint: isOld
      ? 'Load it with PyTorch and save it again, best as safetensors.'
      : 'The file is damaged; get it again.',
  });
}

/** The folder of the archive that everything lies in, with its slash. */
function findFolder(zip: StoredZip, where: string): string {
  const pickles = zip.names().filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length === 1) return pickles[0].slice(0, -'data.pkl'.length);
  throw new UserError({
    where,
    expected: 'one data.pkl in the archive, as torch.save writes it',
    got: `${pickles.length}`,
  });
}

function checkByteOrder(source: ByteSource, zip: StoredZip, name: string, where: string): void {
  const range = zip.locate(name);
  if (!range) return;
  const end = Math.min(range.end, range.begin + BYTE_ORDER_BYTES);
  const order = new TextDecoder().decode(source.read(range.begin, end));
  if (order === 'little') return;
  throw new UserError({
    where,
    expected: 'tensors in little-endian order',
    got: JSON.stringify(order),
    hint: 'Load the file with PyTorch and save it as safetensors.',
  });
}

function* tensorsOf(value: unknown, where: string): Generator<[string, TorchTensor]> {
  if (!(value instanceof Map)) {
    throw new UserError({ where, expected: 'a dictionary of tensors', got: 'something else' });
  }
  for (const [name, tensor] of value) {
    if (typeof name === 'string' && tensor instanceof TorchTensor) yield [name, tensor];
    else {
      const got = `something else under ${JSON.stringify(name).slice(0, 80)}`;
      const hint = 'Save the tensors alone: torch.save(model.state_dict(), ...).';
      throw new UserError({ where, expected: 'a dictionary of tensors', got, hint });
    }
  }
}

function placeOf(tensor: TorchTensor, zip: StoredZip, folder: string, where: string): TorchTensorInfo {
  const { storage, shape, isContiguous } = tensor;
  const { dtype } = storage;
  const size = itemSize(dtype);
  const range = zip.locate(`${folder}data/${storage.key}`);
  const bytes = range && range.end - range.begin;
  if (!range || bytes !== storage.count * size) {
    throw new UserError({
      where,
      expected: `a storage of ${storage.count * size} bytes`,
      got: bytes === undefined ? 'none' : `${bytes}`,
      hint: 'The file is damaged; get it again.',
    });
  }
  const begin = range.begin + tensor.offset * size;
  return { dtype, shape, begin, end: begin + tensor.span * size, isContiguous };
}
