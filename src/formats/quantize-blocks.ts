/** A run of elements as integers of 4 or 8 bits, with a scale a block. */
export interface QuantizedBlocks {
  /** Two of 4 bits a byte, the lower half first, 8 for zero; of 8 bits signed, one a byte. */
  blocks: Uint8Array;
  scales: Float32Array;
}

/**
 * Rounds every block of `blockSize` elements to multiples of a scale of its own. With 8 bits the scale is the largest
 * magnitude over 127. With 4 bits it is, of two, the one with the smaller squared error: the largest magnitude over 7,
 * or the element of that magnitude over -8, which uses the range's longer end.
 *
 * @param values as many as make whole blocks; finite
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
    const inverse = scale === 0 ? 0 : 1 / scales[block];
    if (bits === 8) {
      for (let i = start; i < end; i++) blocks[i] = clamped(values[i] * inverse, -127, 127);
    } else {
      for (let i = start; i < end; i += 2) {
        const low = clamped(values[i] * inverse, -8, 7) + 8;
        const high = clamped(values[i + 1] * inverse, -8, 7) + 8;
        blocks[i >> 1] = low | (high << 4);
      }
    }
  }
  return { blocks, scales };
}

/** The element of the largest magnitude. */
function largest(values: Float32Array, start: number, end: number): number {
  let found = 0;
  for (let i = start; i < end; i++) if (Math.abs(values[i]) > Math.abs(found)) found = values[i];
  return found;
}

function fourBitScale(values: Float32Array, start: number, end: number, extreme: number): number {
  const symmetric = Math.abs(extreme) / 7;
  const long = extreme / -8;
  return squaredError(values, start, end, symmetric) <= squaredError(values, start, end, long)
    ? symmetric
    : long;
}

function squaredError(values: Float32Array, start: number, end: number, scale: number): number {
  if (scale === 0) return 0;
  const inverse = 1 / scale;
  let error = 0;
  for (let i = start; i < end; i++) {
    const difference = values[i] - clamped(values[i] * inverse, -8, 7) * scale;
    error += difference * difference;
  }
  return error;
}

function clamped(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}
