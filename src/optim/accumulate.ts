/** `total += weight * vector`, in place: sums the gradients of the micro-batches of one step. */
export function accumulate(total: Float32Array, vector: Float32Array, weight: number): void {
  for (let i = 0; i < total.length; i++) total[i] += weight * vector[i];
}
