/** Throws an error if the numbers of predictions and targets differ, because scores would be wrong without notice. */
export function assertSameLength(predictions: ArrayLike<number>, targets: ArrayLike<number>): void {
  if (predictions.length === targets.length && targets.length > 0) return;
  throw new Error(
    `a score needs as many predictions as targets: ${predictions.length} predictions, ${targets.length} targets`,
  );
}
