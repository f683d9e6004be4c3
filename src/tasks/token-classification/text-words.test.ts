import { expect, it } from 'vitest';
import { textWords } from './read-words.ts';

it.each([
  ['Ann Lee lives in Bonn.', 'Ann Lee lives in Bonn .'],
  ['  "Stop!", she\tsaid...\n', '" Stop ! " , she said ...'],
  ['(J. Lee) of the U.S. (U.N.), i.e. him.', '( J. Lee ) of the U.S. ( U.N. ) , i.e. him .'],
  ["don't well-known 3.14% $5 O'Neill's", "don't well-known 3.14 % $5 O'Neill's"],
  ['@ann #bonn # -- ??!', '@ann #bonn # -- ?? !'],
  ['Ann在北京工作。', 'Ann 在 北 京 工 作 。'],
  ['naïve café, Ωμέγα 😀.', 'naïve café , Ωμέγα 😀 .'],
  [' \n', ''],
])('words of %j', (text, words) => {
  const found = textWords(text);
  expect(found.map((word) => word.text).join(' ')).toBe(words);
  for (const word of found) expect(text.slice(word.start, word.end)).toBe(word.text);
});

it('handles long runs in linear time', () => {
  const [dots, signs] = ['.'.repeat(100_000), '!?'.repeat(100_000)];
  expect(textWords(`${dots}x${dots}y${signs}`).length).toBe(2 + 200_000);
});
