import { expect, it } from 'vitest';
import { describePrediction } from './describe-prediction.ts';

it('gives each label its probability', () => {
  const classes = ['ham', 'spam'];
  expect(describePrediction({ label: 'spam', probabilities: [0.0123, 0.9877] }, classes)).toBe(
    'spam, 98.8 %',
  );
  expect(describePrediction({ label: 'ham', probabilities: [0.9999, 0.0001] }, classes)).toBe(
    'ham, more than 99.9 %',
  );
  const several = { label: ['a', 'c'], probabilities: [0.6, 0.1, 0.75] };
  expect(describePrediction(several, ['a', 'b', 'c'])).toBe('a, 60.0 %; c, 75.0 %');
  expect(describePrediction({ label: [], probabilities: [0.1] }, ['a'])).toBe('none of the labels');
  expect(describePrediction({ label: 3.25 }, [])).toBe('3.25');
});
