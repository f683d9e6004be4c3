const ITERATIONS = 1000;

/** An example's nonzero features in ascending order, and their values. */
export interface Sparse {
  at: Int32Array;
  value: Float64Array;
}

/** Minimises Σ log loss + |w|² / 2C by Nesterov's accelerated gradient method. */
export function logisticRegression(
  rows: readonly Sparse[],
  labels: readonly number[],
  size: number,
  strength: number,
): Float64Array {
  let weights = new Float64Array(size);
  let ahead = new Float64Array(size);
  const penalty = 1 / (strength * rows.length);
  const longest = Math.max(...rows.map(({ value }) => value.reduce((sum, x) => sum + x * x, 0)));
  // An upper limit of the curvature: a quarter of the longest row's squared length, plus the penalty.
  const step = 1 / (longest / 4 + penalty);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const gradient = ahead.map((weight) => penalty * weight);
    for (let i = 0; i < rows.length; i++) {
      const { at, value } = rows[i]!;
      const error = (1 / (1 + Math.exp(-product(rows[i]!, ahead))) - labels[i]!) / rows.length;
      for (let j = 0; j < at.length; j++) gradient[at[j]!]! += error * value[j]!;
    }
    const next = ahead.map((weight, i) => weight - step * gradient[i]!);
    const momentum = iteration / (iteration + 3);
    ahead = next.map((weight, i) => weight + momentum * (weight - weights[i]!));
    weights = next;
  }
  return weights;
}

export function predictsOne(row: Sparse, weights: Float64Array): boolean {
  return product(row, weights) > 0;
}

function product({ at, value }: Sparse, weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < at.length; i++) sum += value[i]! * weights[at[i]!]!;
  return sum;
}
