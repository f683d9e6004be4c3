import { FileSource } from '../../node/file-source.ts';
import type { TensorFile } from '../../safetensors.ts';
import { TorchFile } from '../torch-file.ts';

/** A {@link TorchFile} on disk. Close it after use. */
export type OpenTorchFile = TorchFile & TensorFile;

/** Opens a file. Throws a UserError like {@link TorchFile}, and for a file that is missing or unreadable. */
export function openTorchFile(path: string): OpenTorchFile {
  const source = FileSource.open(path, 'a file of torch.save');
  try {
    return Object.assign(new TorchFile(source, path), { path, close: () => source.close() });
  } catch (error) {
    source.close();
    throw error;
  }
}
