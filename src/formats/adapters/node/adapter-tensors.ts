import { SafetensorsFile } from '../../node/safetensors-file.ts';
import { openTorchFile } from '../../pickle/node/open-torch-file.ts';
import type { AdapterTensors } from '../stored-adapter.ts';

/**
 * Reads a file of tensors, which is a safetensors file or a pickle. Pickles are parsed, never executed.
 * Throws a UserError.
 */
export function readAdapterTensors(path: string): AdapterTensors {
  const file = path.endsWith('.bin') ? openTorchFile(path) : SafetensorsFile.open(path);
  try {
    return new Map(
      file.names().map((name) => [name, { shape: file.info(name).shape, data: file.readFloat32(name) }]),
    );
  } finally {
    file.close();
  }
}
