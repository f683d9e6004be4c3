import { expect, it } from 'vitest';
import { longestFirst } from './cut-text.ts';

// From the Python package tokenizers 0.23.3 (used by transformers 5.24). The row is the number of tokens of the first
// text, the column that of the second, both 0 to 6. An entry is the number of tokens kept of each. The npm package
// 0.23.2 differs if both texts are longer than max_length: it truncates each to max_length before it compares their
// lengths.
it.each([
  [
    3,
    `00 01 02 03 03 03 03
     10 11 12 12 12 12 12
     20 21 12 12 12 12 12
     30 21 21 12 12 12 12
     30 21 21 21 12 12 12
     30 21 21 21 21 12 12
     30 21 21 21 21 21 12`,
  ],
  [
    4,
    `00 01 02 03 04 04 04
     10 11 12 13 13 13 13
     20 21 22 22 22 22 22
     30 31 22 22 22 22 22
     40 31 22 22 22 22 22
     40 31 22 22 22 22 22
     40 31 22 22 22 22 22`,
  ],
  [
    5,
    `00 01 02 03 04 05 05
     10 11 12 13 14 14 14
     20 21 22 23 23 23 23
     30 31 32 23 23 23 23
     40 41 32 32 23 23 23
     50 41 32 32 32 23 23
     50 41 32 32 32 32 23`,
  ],
])('keeps %i tokens of a pair like transformers', (budget, table) => {
  const expected = table.split('\n').map((row) => row.trim().split(' '));
  const actual = expected.map((row, a) => row.map((_, b) => longestFirst(a, b, budget).join('')));
  expect(actual).toEqual(expected);
});
