import { add, constant, greater, matmul, multiply, sqrt, subtract, sum, where } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';

/** Which form of R(P, Q): the mean of the norms (loralib and PEFT), or the sum of the squared norms (paper). */
export type Orthogonality = 'mean-norm' | 'sum-squared';

/** Factors of one size, stacked: `side` is "rows" for Q [count, rank, in], "columns" for P [count, out, rank]. */
export interface FactorGroup {
  side: 'rows' | 'columns';
  factors: Value;
}

/**
 * R: how far the rows of each Q and the columns of each P are from orthonormal, from the Frobenius norms of
 * Q Qᵀ - I and Pᵀ P - I (equation 4). At exact orthogonality, where the norm has no derivative, its gradient is zero.
 *
 * @param count the number of matrices of which the mean is taken; one without triplets counts and adds nothing
 */
export function orthogonality(groups: readonly FactorGroup[], form: Orthogonality, count: number): Value {
  const squares = groups.map(({ side, factors }) => {
    const [, ...sizes] = factors.shape as number[];
    const rank = side === 'rows' ? sizes[0] : sizes[1];
    const gram = matmul(factors, factors, { transposeA: side === 'columns', transposeB: side === 'rows' });
    const deviation = subtract(gram, identity(factors, rank));
    return sum(multiply(deviation, deviation), [1, 2]);
  });
  const terms = squares.map((square) => sum(form === 'mean-norm' ? safeSqrt(square) : square, [0]));
  const total = terms.reduce((a, b) => add(a, b));
  return form === 'mean-norm' ? multiply(total, 1 / count) : total;
}

/** √x where x > 0, else 0 with a gradient of 0: below the root stands 1 where x vanishes. */
function safeSqrt(x: Value): Value {
  const positive = greater(x, 0);
  return where(positive, sqrt(where(positive, x, 1)), 0);
}

function identity(like: Value, rank: number): Value {
  const data = Array.from({ length: rank * rank }, (_, i) => Number(i % (rank + 1) === 0));
  return constant(like.node.graph, data, [1, rank, rank]);
}
