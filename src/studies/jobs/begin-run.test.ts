import { expect, it } from 'vitest';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { classWeights } from './begin-run.ts';

it('class weights are the given ones, or balance all classes', () => {
  const labels = ['ham', 'spam', 'rare'];
  expect(classWeights({}, labels, [1, 2, 3])).toBeUndefined();
  expect(classWeights({ class_weights: { spam: 3 } }, labels)).toEqual([1, 3, 1]);
  // Equal to scikit-learn's compute_class_weight("balanced").
  expect(classWeights({ class_weights: 'balanced' }, labels, [6, 2, 1])).toEqual([0.5, 1.5, 3]);
  expect(() => classWeights({ class_weights: { spma: 3 } }, labels)).toThrow(
    '`training.class_weights` has a label that no training row has: "spma". Did you mean spam?',
  );
});

it('class weights for a task without classes are rejected', () => {
  const data = { train: 't', text: 0, label: 1 };
  const config = { task: 'regression', data, output: 'o', training: { class_weights: 'balanced' } };
  expect(() => parseRunConfig(config, 'test')).toThrow(
    'test: `training.class_weights` does not apply to task regression, because its loss has no classes to weight. Remove it.',
  );
});
