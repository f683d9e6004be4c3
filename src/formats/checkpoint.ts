import type { TensorInfo } from './safetensors.ts';
import type { TensorFile } from './tensor-file.ts';

/** The tensors of a model, from one or several files. Close it after use. */
export interface Checkpoint {
  names(): string[];
  /**
   * Describes a tensor, for mapping it into memory. `file` is the real path, because a Hugging Face cache
   * consists of symlinks. Throws a UserError for an unknown name, and if the tensor's elements are not
   * contiguous.
   */
  info(name: string): Omit<TensorInfo, 'axes'> & { file: string; axes?: readonly number[] };
  /** Like {@link TensorFile.readFloat32}. Also reads tensors with elements that are not contiguous. */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}
