/**
 * The mean cross-entropy of class logits, computed in 64 bits.
 *
 * @param logits [rows, classes], row-major
 * @param targets class ids, [rows]
 */
export function meanCrossEntropy(logits: Float32Array, classes: number, targets: ArrayLike<number>): number {
  let total = 0;
  for (let row = 0; row < targets.length; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const largest = Math.max(...scores);
    total += largest - scores[targets[row]!]!;
    total += Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0));
  }
  return total / targets.length;
}
