import type { TensorInfo } from './safetensors.ts';
import type { TensorFile } from './tensor-file.ts';

/** The tensors of a model, in one or several files. Close it after use. */
export interface Checkpoint {
  names(): string[];
  /**
   * The type, shape and location of a tensor, so that it can be mapped. `file` is the real path, without symlinks
   * (a Hugging Face cache consists of symlinks). Throws a UserError for an unknown name, and for a tensor whose
   * elements are not contiguous.
   */
  info(name: string): Omit<TensorInfo, 'axes'> & { file: string; axes?: readonly number[] };
  /** Like {@link TensorFile.readFloat32}. Also reads tensors that cannot be mapped. */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}
