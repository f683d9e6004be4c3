import { expect, it } from 'vitest';
import { BestTracker } from './best-tracker.ts';

it.each([true, false])('no score that is NaN or infinite is the best (greater is better: %s)', (greater) => {
  const tracker = new BestTracker('mine', greater);
  const values = Float32Array.of(1);
  const observed = [Number.NaN, Number.POSITIVE_INFINITY, 1, Number.NaN, Number.NEGATIVE_INFINITY].map(
    (eval_mine, step) => tracker.observe(step, { eval_mine }, values).isBest,
  );
  expect(observed).toEqual([false, false, true, false, false]);
  expect(tracker.state).toMatchObject({ step: 2, score: 1, waited: 2 });
});

it.each([
  [true, 1],
  [false, -1],
])('keeps a later one that is worse by no more than a margin (greater is better: %s)', (greater, sign) => {
  const tracker = new BestTracker('mine', greater);
  const kept = [0.5, 0.8, 0.75, 0.72, 0.6, 0.9].map((score, step) => {
    tracker.observe(step, { eval_mine: sign * score }, Float32Array.of(step), 0.06);
    return [tracker.state?.step, tracker.values?.[0], tracker.state?.waited];
  });
  // 0.72 is compared with 0.8, not with the 0.75 that is kept.
  expect(kept).toEqual([
    [0, 0, 0],
    [1, 1, 0],
    [2, 2, 1],
    [2, 2, 2],
    [2, 2, 3],
    [5, 5, 0],
  ]);
});
