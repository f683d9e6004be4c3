/** The class with the largest logit in each row of `[rows, classes]`; the first of equal ones, as `numpy.argmax`. */
export function argmaxRows(logits: Float32Array, classes: number): Int32Array {
  const labels = new Int32Array(logits.length / classes);
  for (let row = 0; row < labels.length; row++) {
    const start = row * classes;
    for (let k = 1; k < classes; k++) if (logits[start + k] > logits[start + labels[row]]) labels[row] = k;
  }
  return labels;
}

/** Returns 1 for each multi-label logit above 0 (its sigmoid exceeds one half), otherwise 0. */
export function positiveLogits(logits: Float32Array): Int32Array {
  return Int32Array.from(logits, (logit) => (logit > 0 ? 1 : 0));
}
