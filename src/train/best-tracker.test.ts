import { expect, it } from 'vitest';
import { BestTracker } from './best-tracker.ts';

it.each([true, false])('no score that is NaN or infinite is the best (greater is better: %s)', (greater) => {
  const tracker = new BestTracker('mine', greater);
  const values = Float32Array.of(1);
  const observed = [Number.NaN, Number.POSITIVE_INFINITY, 1, Number.NaN, Number.NEGATIVE_INFINITY].map(
    (eval_mine, step) => tracker.observe(step, { eval_mine }, values),
  );
  expect(observed).toEqual([false, false, true, false, false]);
  expect(tracker.state).toMatchObject({ step: 2, score: 1, waited: 2 });
});
