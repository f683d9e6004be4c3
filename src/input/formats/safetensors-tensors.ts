import { parseSafetensorsHeader, type SafetensorsHeader, type TensorInfo } from './safetensors.ts';
import { decodeTensor, elementRange, itemSize, type TensorData, toFloat32 } from './tensor-data.ts';
import { unknownTensor } from './unknown-tensor.ts';

/** The tensors of a safetensors file by name, from any source of bytes. */
export class SafetensorsTensors {
  /** The file's name in messages. */
  readonly path: string;
  readonly header: SafetensorsHeader;
  readonly #read: (begin: number, end: number) => Uint8Array;

  /**
   * @param read returns the bytes [begin, end) of the file
   */
  constructor(header: SafetensorsHeader, path: string, read: (begin: number, end: number) => Uint8Array) {
    this.path = path;
    this.header = header;
    this.#read = read;
  }

  /** The tensors of a file in memory. Throws a UserError like {@link parseSafetensorsHeader}. */
  static of(bytes: Uint8Array, path: string): SafetensorsTensors {
    const header = parseSafetensorsHeader(bytes, bytes.length, path);
    return new SafetensorsTensors(header, path, (begin, end) => bytes.slice(begin, end));
  }

  has(name: string): boolean {
    return this.header.tensors.has(name);
  }

  /** The names of the tensors, in the file's order. */
  names(): string[] {
    return [...this.header.tensors.keys()];
  }

  /** Throws a UserError that suggests similar names if the tensor does not exist. */
  info(name: string): TensorInfo {
    const info = this.header.tensors.get(name);
    if (info) return info;
    throw unknownTensor(name, this.names(), this.path);
  }

  /** Reads a tensor in its own type (F16 and BF16 as raw bits). */
  read(name: string): TensorData {
    const info = this.info(name);
    return decodeTensor(info, this.#read(info.begin, info.end));
  }

  /** Like TensorFile.readFloat32. */
  readFloat32(name: string, start?: number, end?: number): Float32Array {
    const { dtype, begin, ...info } = this.info(name);
    const size = itemSize(dtype);
    const range = elementRange((info.end - begin) / size, start, end);
    const bytes = this.#read(begin + range.start * size, begin + range.end * size);
    return toFloat32({ dtype }, bytes, `${this.path}: tensor ${name}`);
  }
}
