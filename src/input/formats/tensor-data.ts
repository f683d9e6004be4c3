import { InvalidFile } from '../../support/user-error.ts';
import { bf16ToF32, f16ToF32 } from './float.ts';

/**
 * The safetensors element types that this library reads, with their array types. F16 and BF16 stay raw bits
 * (see float.ts). Files are little-endian. Big-endian machines (s390x) are not supported.
 */
export const ARRAY_OF = {
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F64: Float64Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export type Dtype = keyof typeof ARRAY_OF;
export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint16Array
  | Uint8Array;

/** A tensor in memory. `data` has product(shape) elements, the last axis contiguous. */
export interface StoredTensor {
  dtype: Dtype;
  shape: number[];
  data: TensorData;
}

/** A tensor to write. `make` returns its bytes and is called in the order of the tensors. */
export interface MadeTensor {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  make(): Iterable<Uint8Array>;
}

/** Bytes per element. */
export function itemSize(dtype: Dtype): number {
  return ARRAY_OF[dtype].BYTES_PER_ELEMENT;
}

/** Interprets bytes as elements. Returns a view if the bytes are aligned, otherwise a copy. */
export function decodeTensor(info: { dtype: Dtype }, bytes: Uint8Array): TensorData {
  const size = itemSize(info.dtype);
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new ARRAY_OF[info.dtype](buffer as ArrayBuffer, byteOffset, bytes.byteLength / size);
}

/**
 * Converts the bytes of elements to f32. F16 and BF16 are widened exactly, F64 is rounded. Throws a UserError
 * for integer types, because integers in a checkpoint are indices or quantized weights.
 *
 * @param where the tensor's name in messages
 */
export function toFloat32(info: { dtype: Dtype }, bytes: Uint8Array, where: string): Float32Array {
  const data = decodeTensor(info, bytes);
  switch (info.dtype) {
    case 'F32':
      return data as Float32Array;
    case 'F16':
      return f16ToF32(data as Uint16Array);
    case 'BF16':
      return bf16ToF32(data as Uint16Array);
    case 'F64':
      return Float32Array.from(data as Float64Array);
    default:
      throw new InvalidFile({
        where,
        fault: `has values of ${info.dtype} instead of floating-point values (F32, F16, BF16 or F64)`,
        hint: 'Quantized checkpoints are not supported. Use the original one.',
      });
  }
}

/** Returns a range [start, end) of a tensor's elements, after checking it. Default: all `count` elements. */
export function elementRange(count: number, start = 0, end = count): { start: number; end: number } {
  if (start >= 0 && start <= end && end <= count) return { start, end };
  throw new RangeError(`elements ${start} to ${end} of a tensor of ${count}`);
}
