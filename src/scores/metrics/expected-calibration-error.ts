/** Number of bins of equal width, as in the paper's tables. */
const BINS = 15;

/**
 * How far confidences are from accuracies (Guo et al., ICML 2017, equation 3). Predictions are put in bins by the
 * probability of their class. For each bin, the mean probability is compared with the share of correct predictions; the
 * result is the mean difference, weighted by the sizes of the bins.
 *
 * @param logits [rows, classes], row-major
 * @param targets class ids, [rows]
 */
export function expectedCalibrationError(
  logits: Float32Array,
  classes: number,
  targets: ArrayLike<number>,
): number {
  // For each bin: the sum of confidences less the number of correct predictions.
  const gaps = new Float64Array(BINS);
  for (let row = 0; row < targets.length; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const largest = Math.max(...scores);
    const confidence = 1 / scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
    const bin = Math.max(0, Math.ceil(confidence * BINS) - 1);
    gaps[bin]! += confidence - (scores.indexOf(largest) === targets[row] ? 1 : 0);
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / targets.length;
}
