/** The rows of a matrix [rows, width] at `start` in a vector, in 64 bits. */
export function rowsOf(values: Float32Array, start: number, rows: number, width: number): Float64Array[] {
  return Array.from({ length: rows }, (_, i) =>
    Float64Array.from(values.subarray(start + i * width, start + (i + 1) * width)),
  );
}

/** The columns of a matrix [height, columns] at `start` in a vector, in 64 bits. */
export function columnsOf(
  values: Float32Array,
  start: number,
  columns: number,
  height: number,
): Float64Array[] {
  return Array.from({ length: columns }, (_, i) =>
    Float64Array.from({ length: height }, (_, j) => values[start + j * columns + i]!),
  );
}
