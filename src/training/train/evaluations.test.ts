import { expect, it } from 'vitest';
import { BestTracker } from './evaluations.ts';

it.each([true, false])('no score that is NaN or infinite is the best (greater is better: %s)', (greater) => {
  const tracker = new BestTracker('mine', greater);
  const values = Float32Array.of(1);
  const observed = [Number.NaN, Number.POSITIVE_INFINITY, 1, Number.NaN, Number.NEGATIVE_INFINITY].map(
    (eval_mine, step) => tracker.observe(step, { eval_mine }, values),
  );
  expect(observed).toEqual([false, false, true, false, false]);
  expect(tracker.state).toMatchObject({ step: 2, score: 1, waited: 2 });
});

it.each([
  [true, 1],
  [false, -1],
])(
  'keeps the values of the best one, and counts the evaluations after it (greater is better: %s)',
  (greater, sign) => {
    const tracker = new BestTracker('mine', greater);
    const kept = [0.5, 0.8, 0.75, 0.9].map((score, step) => {
      tracker.observe(step, { eval_mine: sign * score }, Float32Array.of(step));
      return [tracker.state?.step, tracker.values?.[0], tracker.state?.waited];
    });
    expect(kept).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
      [3, 3, 0],
    ]);
  },
);
