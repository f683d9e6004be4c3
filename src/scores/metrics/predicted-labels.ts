/**
 * The class with the largest logit in each row of `[rows, classes]`. If logits are equal, the first class, as
 * with `numpy.argmax`.
 */
export function argmaxRows(logits: Float32Array, classes: number): Int32Array {
  const labels = new Int32Array(logits.length / classes);
  for (let row = 0; row < labels.length; row++) {
    const start = row * classes;
    for (let k = 1; k < classes; k++) if (logits[start + k]! > logits[start + labels[row]!]!) labels[row] = k;
  }
  return labels;
}

/** Converts multi-label logits to 0 or 1. A logit above 0 gives 1, because its sigmoid exceeds one half. */
export function positiveLogits(logits: Float32Array): Int32Array {
  return Int32Array.from(logits, (logit) => (logit > 0 ? 1 : 0));
}
