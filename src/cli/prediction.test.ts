import { expect, it } from 'vitest';
import { prediction, shortest } from './prediction.ts';

const logits = (...values: number[]) => Float32Array.from(values);

it('of one class is a softmax that does not overflow', () => {
  const { label, probabilities } = prediction(logits(1000, 1001, 999), 'single_label_classification', [
    'a',
    'b',
    'c',
  ]);
  expect(label).toBe('b');
  const sum = 1 + Math.exp(-1) + Math.exp(-2);
  [Math.exp(-1), 1, Math.exp(-2)].forEach((power, i) =>
    expect(probabilities?.[i]).toBeCloseTo(power / sum, 7),
  );
});

it('of several classes is a sigmoid each', () => {
  expect(prediction(logits(0.5, -40, 0), 'multi_label_classification', ['a', 'b', 'c'])).toEqual({
    label: ['a'],
    probabilities: [0.62245933, 4.248354e-18, 0.5],
  });
});

it('of a score is the score', () => {
  expect(prediction(logits(2.7), 'regression', [])).toEqual({ label: 2.7 });
});

it('numbers lose nothing of their 32 bits', () => {
  for (const value of logits(0.1, 1 / 3, 16777217, -2.5e-30))
    expect(Math.fround(shortest(value))).toBe(value);
});
