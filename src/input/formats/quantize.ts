/** Elements per scale in the weights of an int4 or int8 base, as in QLoRA. */
export const BASE_BLOCK = 64;

/** Elements as integers of 4 or 8 bits, with one scale per block. */
interface QuantizedBlocks {
  /**
   * The integers. With 4 bits, each byte holds two integers, the first in its lower half, and 8 represents
   * zero. With 8 bits, each integer is a signed byte.
   */
  blocks: Uint8Array;
  scales: Float32Array;
}

/**
 * Rounds every block of `blockSize` elements to multiples of a scale. With 8 bits, the scale is the largest
 * magnitude / 127. With 4 bits, two scales are tried: the largest magnitude / 7, and the element with this
 * magnitude / -8. The one with the smaller squared error is used.
 *
 * @param values whole blocks of finite values
 */
export function quantizeBlocks(values: Float32Array, bits: 4 | 8, blockSize: number): QuantizedBlocks {
  const scales = new Float32Array(values.length / blockSize);
  const blocks = new Uint8Array((values.length * bits) / 8);
  for (let block = 0; block < scales.length; block++) {
    const start = block * blockSize;
    const end = start + blockSize;
    const extreme = largest(values, start, end);
    const scale = bits === 8 ? Math.abs(extreme) / 127 : fourBitScale(values, start, end, extreme);
    scales[block] = scale;
    const inverse = scale === 0 ? 0 : 1 / scales[block]!;
    if (bits === 8) {
      for (let i = start; i < end; i++) blocks[i] = nearestByte(values[i]! * inverse);
    } else {
      for (let i = start; i < end; i += 2) {
        blocks[i >> 1] = nibble(values[i]! * inverse) | (nibble(values[i + 1]! * inverse) << 4);
      }
    }
  }
  return { blocks, scales };
}

/** Whole blocks of weights as an int4 base has them: rounded to 4 bits. */
export function fourBitValues(values: Float32Array): Float32Array {
  const { blocks, scales } = quantizeBlocks(values, 4, BASE_BLOCK);
  const rounded = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const nibble = (blocks[i >> 1]! >> (4 * (i & 1))) & 15;
    rounded[i] = (nibble - 8) * scales[Math.floor(i / BASE_BLOCK)]!;
  }
  return rounded;
}

function largest(values: Float32Array, start: number, end: number): number {
  let [lowest, highest] = [0, 0];
  for (let i = start; i < end; i++) {
    const value = values[i]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return -lowest > highest ? lowest : highest;
}

function fourBitScale(values: Float32Array, start: number, end: number, extreme: number): number {
  if (extreme === 0) return 0;
  const symmetric = Math.abs(extreme) / 7;
  const long = extreme / -8;
  const [inverseSymmetric, inverseLong] = [1 / symmetric, 1 / long];
  let difference = 0;
  for (let i = start; i < end; i++) {
    const value = values[i]!;
    const a = value - (nibble(value * inverseSymmetric) - 8) * symmetric;
    const b = value - (nibble(value * inverseLong) - 8) * long;
    difference += a * a - b * b;
  }
  return difference <= 0 ? symmetric : long;
}

/**
 * Rounds a multiple of the scale to 4 bits: 0 represents -8, and 15 represents 7. The multiple is never below
 * -8.4.
 */
function nibble(multiple: number): number {
  const rounded = (multiple + 8.5) | 0;
  return Math.min(rounded, 15);
}

/** Rounds a number from -127 to 127 to the nearest integer. Math.round takes three times as long. */
function nearestByte(value: number): number {
  return ((value + 127.5) | 0) - 127;
}

/** A matrix as signed bytes in row-major order. Each column has a scale, which is its largest magnitude / 127. */
export interface ByteColumns {
  bytes: Uint8Array;
  scales: Float32Array;
}

/**
 * Quantizes a matrix [rows, columns] to bytes and transposes it to [columns, rows].
 *
 * @param row returns the elements of a row, which are finite
 */
export function quantizeTransposed(
  rows: number,
  columns: number,
  row: (at: number) => Float32Array,
): ByteColumns {
  const bytes = new Uint8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const values = row(r);
    let largest = 0;
    for (let c = 0; c < columns; c++) largest = Math.max(largest, Math.abs(values[c]!));
    scales[r] = largest / 127;
    const inverse = inverseStep(largest);
    for (let c = 0; c < columns; c++) bytes[c * rows + r] = nearestByte(values[c]! * inverse);
  }
  return { bytes, scales };
}

/** Quantizes a matrix [rows, columns] to bytes without transposing it. Each row is read twice. */
export function quantizeColumns(
  rows: number,
  columns: number,
  row: (at: number) => Float32Array,
): ByteColumns {
  const largest = new Float32Array(columns);
  for (let r = 0; r < rows; r++) {
    const values = row(r);
    for (let c = 0; c < columns; c++) largest[c] = Math.max(largest[c]!, Math.abs(values[c]!));
  }
  const inverse = largest.map(inverseStep);
  const bytes = new Uint8Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const values = row(r);
    for (let c = 0; c < columns; c++) bytes[r * columns + c] = nearestByte(values[c]! * inverse[c]!);
  }
  return { bytes, scales: largest.map((magnitude) => magnitude / 127) };
}

function inverseStep(largest: number): number {
  return largest === 0 ? 0 : 127 / largest;
}
