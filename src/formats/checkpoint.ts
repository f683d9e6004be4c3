import type { TensorInfo } from './safetensors.ts';
import type { TensorFile } from './tensor-file.ts';

/** The tensors of a model, in one file or in several. Close it after use. */
export interface Checkpoint {
  names(): string[];
  /**
   * What a tensor is, and where its bytes lie to be mapped: `file` is the real path, all symlinks resolved (a Hugging
   * Face cache is made of them). Throws a UserError for an unknown name, and for a tensor in more ranges than one.
   */
  info(name: string): Omit<TensorInfo, 'axes'> & { file: string; axes?: readonly number[] };
  /** As {@link TensorFile.readFloat32}, also of a tensor that cannot be mapped. */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}
