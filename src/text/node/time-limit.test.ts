import { expect, it } from 'vitest';
import { TimeLimit, TookTooLong } from './time-limit.ts';

it('stops a cubic search, and runs later work', () => {
  const limit = new TimeLimit();
  const text = 'a'.repeat(20_000);
  const search = () => /(?:a|b)*(?:a|b)*(?:a|b)*c/u.exec(text);
  expect(() => limit.run(search, 20)).toThrow(TookTooLong);
  expect(limit.run(() => limit.run(() => 7, 10_000), 10_000)).toBe(7);
  const mistake = new Error('mine');
  const throws = () => {
    throw mistake;
  };
  expect(() => limit.run(throws, 10_000)).toThrow(mistake);
});
