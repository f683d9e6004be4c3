/** Throws where predictions and targets are not pairs: every sum over them would be wrong without a word. */
export function assertSameLength(predictions: ArrayLike<number>, targets: ArrayLike<number>): void {
  if (predictions.length === targets.length && targets.length > 0) return;
  throw new Error(
    `a score needs as many predictions as targets: ${predictions.length} predictions, ${targets.length} targets`,
  );
}
