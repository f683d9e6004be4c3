import { viewBytes } from '../../support/arrays.ts';
import { finiteF16 } from './float.ts';

/** Element types of written tensors, by their names in llama.cpp. */
export const GGUF_DTYPES = ['f32', 'f16', 'q8_0'] as const;
export type GgufDtype = (typeof GGUF_DTYPES)[number];

/** A matrix, row-major. */
export interface GgufMatrix {
  shape: readonly [rows: number, columns: number];
  data: Float32Array;
}

/** Values of the format's metadata: texts, and numbers as uint32. */
export type GgufMetadata = Readonly<Record<string, string | number>>;

/** The format's numbers for types of tensors, their elements in a block, and a block's bytes. */
const TENSOR_TYPES: Readonly<Record<GgufDtype, { type: number; elements: number; bytes: number }>> = {
  f32: { type: 0, elements: 1, bytes: 4 },
  f16: { type: 1, elements: 1, bytes: 2 },
  q8_0: { type: 8, elements: 32, bytes: 34 },
};

const [UINT32, STRING] = [4, 8];
const VERSION = 3;
/** Readers expect tensors at multiples of this, unless the metadata has another number. */
const ALIGNMENT = 32;
/** ggml's names of tensors have at most 63 bytes. */
const MAX_NAME_BYTES = 63;

/** For a value that float16 cannot represent. */
const HINT = 'Export with --dtype f32.';

/**
 * Encodes a GGUF file as chunks: the header, then each tensor's bytes. A matrix whose rows are no whole number of
 * blocks is written as f16, as llama.cpp does.
 *
 * @throws UserError for a value that the type cannot represent
 * @throws RangeError for a name that is too long, and for data that does not fill the shape
 */
export function* encodeGguf(
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, GgufMatrix>,
  dtype: GgufDtype,
): Generator<Uint8Array> {
  const placed = [...tensors].map(([name, matrix]) => ({ name, matrix, dtype: fitting(matrix, dtype) }));
  yield header(metadata, placed);
  for (const { name, matrix, dtype: own } of placed) {
    const bytes = encoded(matrix, own, name);
    yield bytes;
    yield new Uint8Array(padding(bytes.byteLength));
  }
}

interface Placed {
  name: string;
  matrix: GgufMatrix;
  dtype: GgufDtype;
}

function fitting({ shape: [, columns] }: GgufMatrix, dtype: GgufDtype): GgufDtype {
  return columns % TENSOR_TYPES[dtype].elements === 0 ? dtype : 'f16';
}

function header(metadata: GgufMetadata, tensors: readonly Placed[]): Uint8Array {
  const bytes = new Bytes();
  bytes.raw(new TextEncoder().encode('GGUF'));
  bytes.uint32(VERSION);
  bytes.uint64(tensors.length);
  bytes.uint64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    bytes.text(key);
    if (typeof value === 'string') {
      bytes.uint32(STRING);
      bytes.text(value);
    } else {
      bytes.uint32(UINT32);
      bytes.uint32(value);
    }
  }
  let offset = 0;
  for (const { name, matrix, dtype } of tensors) {
    const [rows, columns] = matrix.shape;
    if (new TextEncoder().encode(name).length > MAX_NAME_BYTES)
      throw new RangeError(`${name}: a tensor's name has at most ${MAX_NAME_BYTES} bytes`);
    if (matrix.data.length !== rows * columns)
      throw new RangeError(`${name}: expected ${rows * columns} values, got ${matrix.data.length}`);
    const { type, elements, bytes: blockBytes } = TENSOR_TYPES[dtype];
    bytes.text(name);
    // The format lists the fastest dimension first.
    bytes.uint32(2);
    bytes.uint64(columns);
    bytes.uint64(rows);
    bytes.uint32(type);
    bytes.uint64(offset);
    const size = ((rows * columns) / elements) * blockBytes;
    offset += size + padding(size);
  }
  bytes.raw(new Uint8Array(padding(bytes.length)));
  return bytes.joined();
}

function padding(length: number): number {
  return (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
}

function encoded({ data }: GgufMatrix, dtype: GgufDtype, name: string): Uint8Array {
  if (dtype === 'f32') return viewBytes(data);
  if (dtype === 'q8_0') return blocksOf8Bits(data, name);
  return viewBytes(finiteF16(data, name, HINT));
}

/** A block of q8_0: a float16 scale, then 32 numbers from -127 to 127, rounded like llama.cpp's reference. */
function blocksOf8Bits(values: Float32Array, name: string): Uint8Array {
  const { elements, bytes } = TENSOR_TYPES.q8_0;
  const count = values.length / elements;
  const scales = new Float32Array(count);
  for (let block = 0; block < count; block++) {
    const own = values.subarray(block * elements, (block + 1) * elements);
    scales[block] = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / 127;
  }
  const stored = finiteF16(scales, name, HINT);
  const out = new DataView(new ArrayBuffer(count * bytes));
  for (let block = 0; block < count; block++) {
    out.setUint16(block * bytes, stored[block]!, true);
    // The reference multiplies by the inverse of the scale, both in float32.
    const inverse = scales[block] === 0 ? 0 : Math.fround(1 / scales[block]!);
    for (let i = 0; i < elements; i++) {
      const multiple = Math.fround(values[block * elements + i]! * inverse);
      const rounded = Math.sign(multiple) * Math.floor(Math.abs(multiple) + 0.5);
      out.setInt8(block * bytes + 2 + i, rounded);
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
    const all = new Uint8Array(this.length);
    let start = 0;
    for (const part of this.#parts) {
      all.set(part, start);
      start += part.length;
    }
    return all;
  }
}
