/** Adds `weight * vector` to `total` in place. It sums the gradients of a step's micro-batches. */
export function accumulate(total: Float32Array, vector: Float32Array, weight: number): void {
  for (let i = 0; i < total.length; i++) total[i]! += weight * vector[i]!;
}
