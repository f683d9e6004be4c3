import { elementRange } from '../element-range.ts';
import { encodeSafetensors } from '../encode-safetensors.ts';
import {
  LENGTH_BYTES,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsDataStart,
  type TensorInfo,
} from '../safetensors.ts';
import { decodeTensor, itemSize, type StoredTensor, type TensorData, toFloat32 } from '../tensor-data.ts';
import type { TensorFile } from '../tensor-file.ts';
import { unknownTensor } from '../unknown-tensor.ts';
import { atomicWrite } from './atomic-write.ts';
import { FileSource } from './file-source.ts';

/** An open safetensors file: the header is in memory, tensors are read when asked for. Close it after use. */
export class SafetensorsFile implements TensorFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  readonly #source: FileSource;

  private constructor(source: FileSource, header: SafetensorsHeader) {
    this.path = source.path;
    this.header = header;
    this.#source = source;
  }

  /** Throws a UserError for a file that is missing, unreadable, truncated or whose header lies. */
  static open(path: string): SafetensorsFile {
    const source = FileSource.open(path, 'a safetensors file');
    try {
      const start = source.read(0, Math.min(LENGTH_BYTES, source.size));
      const bytes = source.read(0, safetensorsDataStart(start, source.size, path));
      return new SafetensorsFile(source, parseSafetensorsHeader(bytes, source.size, path));
    } catch (error) {
      source.close();
      throw error;
    }
  }

  has(name: string): boolean {
    return this.header.tensors.has(name);
  }

  /** In the order of their bytes in the file. */
  names(): string[] {
    return [...this.header.tensors.keys()];
  }

  /** Throws a UserError with the nearest names where there is no such tensor. */
  info(name: string): TensorInfo {
    const info = this.header.tensors.get(name);
    if (info) return info;
    throw unknownTensor(name, this.names(), this.path);
  }

  /** The tensor in its own type (F16 and BF16 as raw bits). */
  read(name: string): TensorData {
    const info = this.info(name);
    return decodeTensor(info, this.#bytes(info));
  }

  /** As {@link TensorFile.readFloat32}. */
  readFloat32(name: string, start?: number, end?: number): Float32Array {
    const { dtype, begin, ...info } = this.info(name);
    const size = itemSize(dtype);
    const range = elementRange((info.end - begin) / size, start, end);
    const bytes = this.#bytes({ begin: begin + range.start * size, end: begin + range.end * size });
    return toFloat32({ dtype }, bytes, `${this.path}: tensor ${name}`);
  }

  close(): void {
    this.#source.close();
  }

  #bytes({ begin, end }: { begin: number; end: number }): Uint8Array {
    return this.#source.read(begin, end);
  }
}

/** Reads a whole file. Throws as {@link SafetensorsFile.open}. */
export function readSafetensors(path: string): Map<string, StoredTensor> {
  const file = SafetensorsFile.open(path);
  try {
    return new Map(
      file.names().map((name) => {
        const { dtype, shape } = file.info(name);
        return [name, { dtype, shape, data: file.read(name) }];
      }),
    );
  } finally {
    file.close();
  }
}

/** Writes a file atomically, one tensor after the other, without a copy in memory. */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Record<string, string>,
): void {
  atomicWrite(path, encodeSafetensors(tensors, metadata));
}
