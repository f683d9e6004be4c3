import { expect, it } from 'vitest';
import { initialise } from './bind-checkpoint.ts';

it('norms are 1, biases 0', () => {
  expect(initialise('cls.predictions.transform.LayerNorm.weight', [3], 0, 0.02)).toEqual(
    Float32Array.of(1, 1, 1),
  );
  expect(initialise('cls.predictions.bias', [2], 0, 0.02)).toEqual(Float32Array.of(0, 0));
});

it('weights are normal with the given deviation, one by one and by seed', () => {
  const weights = initialise('classifier.weight', [100, 200], 7, 0.02);
  const mean = weights.reduce((sum, x) => sum + x, 0) / weights.length;
  const variance = weights.reduce((sum, x) => sum + (x - mean) ** 2, 0) / weights.length;
  // The limit is five standard errors, with 20,000 draws.
  expect(Math.abs(mean)).toBeLessThan(5 * 0.02 * weights.length ** -0.5);
  expect(Math.abs(Math.sqrt(variance) / 0.02 - 1)).toBeLessThan(5 * (2 * weights.length) ** -0.5);
  expect(initialise('classifier.weight', [100, 200], 7, 0.02)).toEqual(weights);
  expect(initialise('classifier.weight', [100, 200], 8, 0.02)).not.toEqual(weights);
  expect(initialise('pre_classifier.weight', [100, 200], 7, 0.02)).not.toEqual(weights);
});
