import type { TensorInfo } from './safetensors.ts';

/** An open file of named tensors. The header is in memory, and elements are read on request. */
export interface TensorFile {
  readonly path: string;
  names(): string[];
  has(name: string): boolean;
  /** Throws a UserError that suggests similar names if the tensor does not exist. */
  info(name: string): TensorInfo;
  /**
   * Reads a floating-point tensor, or its elements [start, end), as f32. Throws a UserError for integer
   * types, and a RangeError for elements out of range.
   */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}
