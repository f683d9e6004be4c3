import { atomicWrite } from '../../store/node/atomic-write.ts';
import { encodeSafetensors } from '../encode-safetensors.ts';
import {
  LENGTH_BYTES,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  SafetensorsTensors,
  safetensorsDataStart,
  type TensorFile,
} from '../safetensors.ts';
import type { StoredTensor } from '../tensor-data.ts';
import { FileSource } from './file-source.ts';

/** An open safetensors file. The header is in memory, and tensors are read on request. Close it after use. */
export class SafetensorsFile extends SafetensorsTensors implements TensorFile {
  readonly #source: FileSource;

  private constructor(source: FileSource, header: SafetensorsHeader) {
    super(header, source.path, (begin, end) => source.read(begin, end));
    this.#source = source;
  }

  /** @throws UserError for a file that is missing, unreadable or truncated, or has an invalid header */
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

  close(): void {
    this.#source.close();
  }
}

/** Reads all tensors of a file. Throws like {@link SafetensorsFile.open}. */
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

/** Writes a file atomically, tensor by tensor, without holding a copy of all tensors in memory. */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Record<string, string>,
): void {
  atomicWrite(path, encodeSafetensors(tensors, metadata));
}
