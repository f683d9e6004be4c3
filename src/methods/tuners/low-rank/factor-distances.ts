import type { ParameterLayout } from '../parameter-layout.ts';
import type { FactorDistances } from '../tuner.ts';
import { factorName, type LowRankModule } from './factors.ts';

/**
 * The distance of each module's factors from orthonormality, as in the paper's figure 4. Modules of rank 0 are skipped.
 */
export function factorDistances(
  modules: readonly LowRankModule[],
  layout: ParameterLayout,
  values: Float32Array,
): FactorDistances {
  const present = modules.filter(({ rank }) => rank > 0);
  return Object.fromEntries(
    present.map(({ path, rank, outFeatures }) => {
      const b = layout.read(values, factorName(path, 'B'));
      const a = layout.read(values, factorName(path, 'A'));
      return [path, [distance(byRows(b, outFeatures, rank), rank), distance(a, rank)]];
    }),
  );
}

/** ‖MMᵀ - I‖² of a matrix of `rank` rows. It is rounded to four digits to limit the size of a run's log. */
function distance(matrix: Float32Array, rank: number): number {
  const width = matrix.length / rank;
  const rows = Array.from({ length: rank }, (_, i) => matrix.subarray(i * width, (i + 1) * width));
  let sum = 0;
  for (let i = 0; i < rank; i++) {
    sum += (product(rows[i]!, rows[i]!) - 1) ** 2;
    // The Gram matrix is symmetric, so its off-diagonal elements count twice.
    for (let j = 0; j < i; j++) sum += 2 * product(rows[i]!, rows[j]!) ** 2;
  }
  return Number(sum.toPrecision(4));
}

function product(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** The transpose of a matrix [rows, columns]. Products of its rows read memory in order. */
function byRows(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) transposed[j * rows + i] = matrix[i * columns + j]!;
  }
  return transposed;
}
