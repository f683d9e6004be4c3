import { expect, it } from 'vitest';
import { expectedCalibrationError } from './classes.ts';

const logits = (...rows: number[][]) => Float32Array.from(rows.flat(), Math.log);

it('is the mean difference of confidence and accuracy in each bin', () => {
  // Two rows share a bin: confidence 0.9, accuracy 0.5. The third is alone: confidence 0.6, accuracy 1.
  const rows = logits([0.9, 0.1], [0.1, 0.9], [0.6, 0.4]);
  // Probabilities of float32 logits have seven digits.
  expect(expectedCalibrationError(rows, 2, [0, 0, 0])).toBeCloseTo((2 * 0.4 + 0.4) / 3, 6);
});

it('is 0 for certain and correct predictions', () => {
  expect(expectedCalibrationError(Float32Array.of(0, 1e4, -1e4, 0), 2, [1, 1])).toBe(0);
});
