import {
  add,
  constant,
  divide,
  greater,
  matmul,
  multiply,
  negate,
  relu,
  reshape,
  sqrt,
  subtract,
  sum,
  where,
} from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import type { FactorDistances, Regularizer } from '../tuner.ts';
import { type FactorGroup, factorsIn, type LowRankModule } from './factors.ts';

/**
 * How to measure the distance from orthonormality, for the rows of each A (Q) and the columns of each B (P). G is their
 * Gram matrix:
 *
 * - `mean-norm`: the mean over all factors of ‖G - I‖ (AdaLoRA in loralib and PEFT);
 * - `sum-squared`: the sum over all factors of ‖G - I‖² (equation 4 of the paper);
 * - `cosine`: the mean over all factors of the mean of |cos| between different rows (LoRA + R in the paper's code).
 */
export type Orthogonality = 'mean-norm' | 'sum-squared' | 'cosine';

/** Avoids a division by zero for rows of zeros. It is the value in the paper's code, far below any real length. */
const COSINE_EPSILON = 1e-30;

/**
 * Smaller squared distances are treated as 0. Factors that start orthonormal differ from it only by float32 rounding,
 * and the gradient of the square root would turn that into a random vector of length 1.
 */
const ROUNDING = 1e-10;

/**
 * Computes the term R over groups of factors. The factors of a group have one shape, and the groups are adjacent from
 * the start of the vector.
 *
 * @param count the number of factors in a mean, including factors that contribute nothing (rank 0, or rank 1 for
 * cosines)
 */
export function orthogonalityTerm(
  groups: readonly FactorGroup[],
  form: Orthogonality,
  weight: number,
  count: number,
): Regularizer {
  return {
    weight,
    views: groups.map(({ members }) => [members.length, ...members[0]!.shape]),
    build(views) {
      const distances = groups.map(({ side }, i) => distance(views[i]!, side, form));
      const terms = distances.map((each) => sum(form === 'mean-norm' ? safeSqrt(each, ROUNDING) : each, [0]));
      const total = terms.reduce((a, b) => add(a, b));
      return form === 'sum-squared' ? total : multiply(total, 1 / count);
    },
  };
}

/**
 * The distance of each of the stacked factors, [count]. They are A [count, rank, in] by rows, or B [count, out, rank]
 * by columns.
 */
function distance(factors: Value, side: FactorGroup['side'], form: Orthogonality): Value {
  const [, ...sizes] = factors.shape as number[];
  const rank = side === 'rows' ? sizes[0]! : sizes[1]!;
  const gram = matmul(factors, factors, { transposeA: side === 'columns', transposeB: side === 'rows' });
  if (form === 'cosine') return meanCosine(factors, gram, side);
  const deviation = subtract(gram, identity(factors, rank));
  return sum(multiply(deviation, deviation), [1, 2]);
}

/** The mean of |cos| over all pairs of different rows. Rows of zeros contribute nothing, also to the gradient. */
function meanCosine(factors: Value, gram: Value, side: FactorGroup['side']): Value {
  const [count, rank] = gram.shape as number[];
  const lengths = safeSqrt(sum(multiply(factors, factors), [side === 'rows' ? 2 : 1]));
  const products = multiply(reshape(lengths, [count!, rank!, 1]), reshape(lengths, [count!, 1, rank!]));
  // |x| with a gradient of zero at zero.
  const magnitudes = add(relu(gram), relu(negate(gram)));
  const cosines = divide(magnitudes, add(products, COSINE_EPSILON));
  const between = multiply(cosines, subtract(1, identity(factors, rank!)));
  return multiply(sum(between, [1, 2]), 1 / (rank! * rank! - rank!));
}

/**
 * Returns √x if x > least, otherwise 0 with a gradient of 0. In the second case it computes the root of 1 and discards
 * it.
 */
function safeSqrt(x: Value, least = 0): Value {
  const positive = greater(x, least);
  return where(positive, sqrt(where(positive, x, 1)), 0);
}

function identity(like: Value, rank: number): Value {
  const data = Array.from({ length: rank * rank }, (_, i) => Number(i % (rank + 1) === 0));
  return constant(like.node.graph, data, [1, rank, rank]);
}

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
      const { A, B } = factorsIn(layout, values, path);
      return [path, [squaredDistance(byRows(B, outFeatures, rank), rank), squaredDistance(A, rank)]];
    }),
  );
}

/** ‖MMᵀ - I‖² of a matrix of `rank` rows. It is rounded to four digits to limit the size of a run's log. */
function squaredDistance(matrix: Float32Array, rank: number): number {
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
