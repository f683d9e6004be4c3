import { encodeSafetensors } from '../../src/input/formats/encode-safetensors.ts';
import { openFile } from '../../src/input/formats/files.ts';
import { disk } from '../../src/input/formats/node/folder-files.ts';
import { SafetensorsFile } from '../../src/input/formats/safetensors.ts';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';

/** Opens a file. Throws a UserError if it is missing, unreadable or truncated, or has an invalid header. */
export function openSafetensors(path: string): SafetensorsFile {
  return SafetensorsFile.open(openFile(disk, path, 'a safetensors file'));
}

/** Reads all tensors of a file. Throws like {@link openSafetensors}. */
export function readSafetensors(path: string): Map<string, StoredTensor> {
  const file = openSafetensors(path);
  try {
    return file.all();
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
