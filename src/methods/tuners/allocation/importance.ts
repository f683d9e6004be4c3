import { absolute, add, multiply, subtract, VectorLoop } from '../../../engine/vectors/vector-loop.ts';
import { lazy } from '../../../support/lazy.ts';

/**
 * Updates the averages of equations 8 to 10 with one step's gradient, in place and in one pass. All vectors have the
 * same length. The averages start at zero, without bias correction:
 *
 *     I = |w g|     sensitivity ← β1 sensitivity + (1-β1) I     uncertainty ← β2 uncertainty + (1-β2) |I - sensitivity|
 *
 * The last term uses the new sensitivity, as in PEFT.
 */
export function updateImportance(
  {
    values,
    gradient,
    sensitivity,
    uncertainty,
  }: { values: Float32Array; gradient: Float32Array; sensitivity: Float32Array; uncertainty: Float32Array },
  { beta1, beta2 }: { beta1: number; beta2: number },
): void {
  AVERAGES().run(
    { values, gradient, sensitivity, uncertainty },
    { beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2 },
  );
}

const AVERAGES = lazy(
  () =>
    new VectorLoop(
      ['values', 'gradient', 'sensitivity', 'uncertainty'],
      ['beta1', 'rest1', 'beta2', 'rest2'],
      ({ values, gradient, sensitivity, uncertainty, beta1, rest1, beta2, rest2 }) => {
        const importance = absolute(multiply(values, gradient));
        const smooth = add(multiply(beta1, sensitivity), multiply(rest1, importance));
        const deviation = absolute(subtract(importance, smooth));
        return {
          sensitivity: smooth,
          uncertainty: add(multiply(beta2, uncertainty), multiply(rest2, deviation)),
        };
      },
    ),
);

/** The sensitivity of one step, `|w g|`, instead of the averages (an ablation of the paper). */
export function rawSensitivity(
  values: Float32Array,
  gradient: Float32Array,
  sensitivity: Float32Array,
): void {
  for (let i = 0; i < sensitivity.length; i++) sensitivity[i] = Math.abs(values[i]! * gradient[i]!);
}
