import { elementCount, joinedBytes, viewBytes } from '../../support/arrays.ts';
import { finiteF16 } from './float.ts';

/** Element types of written tensors, by their names in llama.cpp. */
export const GGUF_DTYPES = ['f32', 'f16', 'q8_0', 'q4_0'] as const;
export type GgufDtype = (typeof GGUF_DTYPES)[number];

/** A vector, or a matrix, row-major. */
export interface GgufTensor {
  shape: readonly number[];
  /** Returns the elements [start, end). */
  read(start: number, end: number): Float32Array;
  /** Its type, if not that of the file. */
  dtype?: GgufDtype;
}

/** Values of the format's metadata. Numbers are uint32; `{ float }` is float32. */
export type GgufMetadata = Readonly<
  Record<
    string,
    string | number | boolean | { float: number } | readonly string[] | Int32Array | Float32Array
  >
>;

/** The format's numbers for types of tensors (also `general.file_type`'s), their elements in a block, and its bytes. */
const TENSOR_TYPES: Readonly<
  Record<GgufDtype, { type: number; file: number; elements: number; bytes: number }>
> = {
  f32: { type: 0, file: 0, elements: 1, bytes: 4 },
  f16: { type: 1, file: 1, elements: 1, bytes: 2 },
  q8_0: { type: 8, file: 7, elements: 32, bytes: 34 },
  q4_0: { type: 2, file: 2, elements: 32, bytes: 18 },
};
/** The version of the integer blocks. */
const QUANTIZATION_VERSION = 2;

/** The format's numbers for types of metadata. */
const [UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY] = [4, 5, 6, 7, 8, 9];
const VERSION = 3;
/** Readers expect tensors at multiples of this, unless the metadata has another number. */
const ALIGNMENT = 32;
/** ggml's names of tensors have at most 63 bytes. */
const MAX_NAME_BYTES = 63;
/** Elements in memory at once: whole blocks. */
const CHUNK = 2 ** 18;

/** For a value that float16 cannot represent. */
const HINT = 'Export with --dtype f32.';

/**
 * Encodes a GGUF file as chunks: the header, then each tensor's bytes. Vectors are f32. A matrix whose rows are no whole
 * number of blocks is written as f16, as llama.cpp does.
 *
 * @throws UserError for a value that the type cannot represent
 * @throws RangeError for a name that is too long
 */
export function* encodeGguf(
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, GgufTensor>,
  dtype: GgufDtype,
): Generator<Uint8Array> {
  const placed = [...tensors].map(([name, tensor]) => ({ name, tensor, dtype: fitting(tensor, dtype) }));
  const described = { ...metadata, 'general.file_type': TENSOR_TYPES[dtype].file };
  yield header(
    TENSOR_TYPES[dtype].elements === 1
      ? described
      : { ...described, 'general.quantization_version': QUANTIZATION_VERSION },
    placed,
  );
  for (const { name, tensor, dtype: own } of placed) {
    const count = elementCount(tensor.shape);
    let size = 0;
    for (let start = 0; start < count; start += CHUNK) {
      const bytes = encoded(tensor.read(start, Math.min(count, start + CHUNK)), own, name);
      size += bytes.byteLength;
      yield bytes;
    }
    yield new Uint8Array(padding(size));
  }
}

interface Placed {
  name: string;
  tensor: GgufTensor;
  dtype: GgufDtype;
}

function fitting({ shape, dtype }: GgufTensor, ofFile: GgufDtype): GgufDtype {
  if (shape.length === 1) return 'f32';
  const own = dtype ?? ofFile;
  return shape.at(-1)! % TENSOR_TYPES[own].elements === 0 ? own : 'f16';
}

function header(metadata: GgufMetadata, tensors: readonly Placed[]): Uint8Array {
  const bytes = new Bytes();
  bytes.raw(new TextEncoder().encode('GGUF'));
  bytes.uint32(VERSION);
  bytes.uint64(tensors.length);
  bytes.uint64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    bytes.text(key);
    putValue(bytes, value);
  }
  let offset = 0;
  for (const { name, tensor, dtype } of tensors) {
    if (new TextEncoder().encode(name).length > MAX_NAME_BYTES)
      throw new RangeError(`${name}: a tensor's name has at most ${MAX_NAME_BYTES} bytes`);
    const { type, elements, bytes: blockBytes } = TENSOR_TYPES[dtype];
    bytes.text(name);
    bytes.uint32(tensor.shape.length);
    // The format lists the fastest dimension first.
    for (const length of tensor.shape.toReversed()) bytes.uint64(length);
    bytes.uint32(type);
    bytes.uint64(offset);
    const size = (elementCount(tensor.shape) / elements) * blockBytes;
    offset += size + padding(size);
  }
  bytes.raw(new Uint8Array(padding(bytes.length)));
  return bytes.joined();
}

function putValue(bytes: Bytes, value: GgufMetadata[string]): void {
  if (typeof value === 'string') {
    bytes.uint32(STRING!);
    bytes.text(value);
  } else if (typeof value === 'boolean') {
    bytes.uint32(BOOL!);
    bytes.raw(Uint8Array.of(Number(value)));
  } else if (typeof value === 'number') {
    bytes.uint32(UINT32!);
    bytes.uint32(value);
  } else if ('float' in value) {
    bytes.uint32(FLOAT32!);
    bytes.raw(viewBytes(Float32Array.of(value.float)));
  } else {
    bytes.uint32(ARRAY!);
    bytes.uint32((value instanceof Int32Array ? INT32 : value instanceof Float32Array ? FLOAT32 : STRING)!);
    bytes.uint64(value.length);
    if (Array.isArray(value)) for (const text of value) bytes.text(text);
    else bytes.raw(viewBytes(value as Int32Array | Float32Array));
  }
}

function padding(length: number): number {
  return (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
}

function encoded(data: Float32Array, dtype: GgufDtype, name: string): Uint8Array {
  if (dtype === 'f32') return viewBytes(data);
  if (dtype === 'f16') return viewBytes(finiteF16(data, name, HINT));
  return integerBlocks(data, dtype, name);
}

/**
 * Blocks of 32 numbers with a float16 scale before them, rounded like llama.cpp's reference. In q8_0, numbers are from
 * -127 to 127. In q4_0, they are from -8 to 7, stored as 0 to 15, the second half of a block in the upper bits.
 */
function integerBlocks(values: Float32Array, dtype: 'q8_0' | 'q4_0', name: string): Uint8Array {
  const { elements, bytes } = TENSOR_TYPES[dtype];
  const count = values.length / elements;
  const scales = new Float32Array(count);
  for (let block = 0; block < count; block++) {
    let extreme = 0;
    for (let i = block * elements; i < (block + 1) * elements; i++)
      if (Math.abs(values[i]!) > Math.abs(extreme)) extreme = values[i]!;
    scales[block] = dtype === 'q8_0' ? Math.abs(extreme) / 127 : extreme / -8;
  }
  const stored = finiteF16(scales, name, HINT);
  const out = new DataView(new ArrayBuffer(count * bytes));
  for (let block = 0; block < count; block++) {
    const at = block * bytes;
    out.setUint16(at, stored[block]!, true);
    // The reference multiplies by the inverse of the scale, both in float32.
    const inverse = scales[block] === 0 ? 0 : Math.fround(1 / scales[block]!);
    const multiple = (i: number) => Math.fround(values[block * elements + i]! * inverse);
    const nibble = (i: number) => Math.min(15, Math.trunc(Math.fround(multiple(i) + 8.5)));
    if (dtype === 'q4_0')
      for (let i = 0; i < 16; i++) out.setUint8(at + 2 + i, nibble(i) | (nibble(i + 16) << 4));
    else
      for (let i = 0; i < elements; i++) {
        const rounded = Math.sign(multiple(i)) * Math.floor(Math.abs(multiple(i)) + 0.5);
        out.setInt8(at + 2 + i, rounded);
      }
  }
  return new Uint8Array(out.buffer);
}

/** Little-endian values, one after another. */
class Bytes {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  raw(part: Uint8Array): void {
    this.#parts.push(part);
    this.length += part.length;
  }

  uint32(value: number): void {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, value, true);
    this.raw(new Uint8Array(view.buffer));
  }

  uint64(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(value), true);
    this.raw(new Uint8Array(view.buffer));
  }

  /** A text with its length in bytes before it. */
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.uint64(bytes.length);
    this.raw(bytes);
  }

  joined(): Uint8Array {
    return joinedBytes(this.#parts);
  }
}
