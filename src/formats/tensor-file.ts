import type { TensorInfo } from './safetensors.ts';

/** A file of named tensors, open: what they are is in memory, their elements are read when asked for. */
export interface TensorFile {
  readonly path: string;
  names(): string[];
  has(name: string): boolean;
  /** Throws a UserError with the nearest names where there is no such tensor. */
  info(name: string): TensorInfo;
  /**
   * A floating-point tensor, or its elements [start, end), as f32. Throws a UserError for integer types, a RangeError
   * for elements that it does not have.
   */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}
