/**
 * Takes one step's gradient into the averages of equations 8 to 10, in place, one pass; all vectors have one length
 * and the averages start at zero, without bias correction:
 *
 *     I = |w g|     sensitivity ← β1 sensitivity + (1-β1) I     uncertainty ← β2 uncertainty + (1-β2) |I - sensitivity|
 *
 * with the new sensitivity in the last term, as in PEFT.
 */
export function updateImportance(
  values: Float32Array,
  gradient: Float32Array,
  sensitivity: Float32Array,
  uncertainty: Float32Array,
  beta1: number,
  beta2: number,
): void {
  for (let i = 0; i < sensitivity.length; i++) {
    const importance = Math.abs(values[i] * gradient[i]);
    const smooth = beta1 * sensitivity[i] + (1 - beta1) * importance;
    sensitivity[i] = smooth;
    uncertainty[i] = beta2 * uncertainty[i] + (1 - beta2) * Math.abs(importance - smooth);
  }
}

/** The raw sensitivity of one step, `|w g|`, in place of the averages (an ablation of the paper). */
export function rawSensitivity(
  values: Float32Array,
  gradient: Float32Array,
  sensitivity: Float32Array,
): void {
  for (let i = 0; i < sensitivity.length; i++) sensitivity[i] = Math.abs(values[i] * gradient[i]);
}
