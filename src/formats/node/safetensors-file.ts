import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { nearest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { encodeSafetensors } from '../encode-safetensors.ts';
import {
  LENGTH_BYTES,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsDataStart,
  type TensorInfo,
} from '../safetensors.ts';
import { decodeTensor, itemSize, type StoredTensor, type TensorData, toFloat32 } from '../tensor-data.ts';
import { atomicWrite } from './atomic-write.ts';
import { missingFile } from './missing-file.ts';

/** One read of a file may not be longer than a 32-bit integer says. */
const MAX_READ_BYTES = 2 ** 30;

/** An open safetensors file: the header is in memory, tensors are read when asked for. Close it after use. */
export class SafetensorsFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  readonly #fd: number;

  private constructor(path: string, header: SafetensorsHeader, fd: number) {
    this.path = path;
    this.header = header;
    this.#fd = fd;
  }

  /** Throws a UserError for a file that is missing, unreadable, truncated or whose header lies. */
  static open(path: string): SafetensorsFile {
    const fd = openForReading(path);
    try {
      const status = fstatSync(fd);
      if (!status.isFile()) {
        throw new UserError({ where: path, expected: 'a safetensors file', got: 'a folder or device' });
      }
      const start = readBytes(fd, 0, Math.min(LENGTH_BYTES, status.size), path);
      const bytes = readBytes(fd, 0, safetensorsDataStart(start, status.size, path), path);
      return new SafetensorsFile(path, parseSafetensorsHeader(bytes, status.size, path), fd);
    } catch (error) {
      closeSync(fd);
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

  /** A floating-point tensor, or its elements [start, end), as f32. Throws a UserError for integer types. */
  readFloat32(name: string, start = 0, end?: number): Float32Array {
    const { dtype, begin, ...info } = this.info(name);
    const size = itemSize(dtype);
    const range = { begin: begin + start * size, end: end === undefined ? info.end : begin + end * size };
    return toFloat32({ dtype }, this.#bytes(range), `${this.path}: tensor ${name}`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #bytes({ begin, end }: { begin: number; end: number }): Uint8Array {
    return readBytes(this.#fd, begin, end, this.path);
  }
}

/** The UserError for a tensor that is not in `where`, with the nearest of the `known` names. */
export function unknownTensor(name: string, known: string[], where: string): UserError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined;
  return new UserError({
    where,
    expected: `a tensor ${name}`,
    got: `${known.length} tensors, none of that name`,
    hint,
  });
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

function openForReading(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missingFile(path, 'a safetensors file');
    throw new UserError({ where: path, expected: 'a readable file', got: code ?? String(error) });
  }
}

function readBytes(fd: number, begin: number, end: number, where: string): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, Math.min(bytes.length - done, MAX_READ_BYTES), begin + done);
    if (count === 0) {
      const got = `its end at ${begin + done}`;
      throw new UserError({
        where,
        expected: `bytes up to ${end}`,
        got,
        hint: 'The file changed while it was read.',
      });
    }
    done += count;
  }
  return bytes;
}
