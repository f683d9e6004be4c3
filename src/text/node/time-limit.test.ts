import { expect, it } from 'vitest';
import { limitTime, TookTooLong } from './limit-time.ts';

it('stops a cubic search, and runs later work', () => {
  const text = 'a'.repeat(20_000);
  const search = () => /(?:a|b)*(?:a|b)*(?:a|b)*c/u.exec(text);
  expect(() => limitTime(search, 20)).toThrow(TookTooLong);
  expect(limitTime(() => limitTime(() => 7, 10_000), 10_000)).toBe(7);
  const mistake = new Error('mine');
  const throws = () => {
    throw mistake;
  };
  expect(() => limitTime(throws, 10_000)).toThrow(mistake);
});
