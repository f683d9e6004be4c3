import { nearestByte } from './quantize-blocks.ts';

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
