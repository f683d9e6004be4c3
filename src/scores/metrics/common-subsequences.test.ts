import { expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { CommonSubsequences } from './rouge.ts';

/**
 * The positions in `first` of a longest common subsequence, from the end. They are found in the table of
 * lengths, as in ROUGE's Python package.
 */
function byTable(first: readonly string[], second: readonly string[]): number[] {
  const lengths = [new Array<number>(second.length + 1).fill(0)];
  for (const [i, word] of first.entries()) {
    const row = [0];
    for (const [j, other] of second.entries())
      row.push(word === other ? lengths[i]![j]! + 1 : Math.max(lengths[i]![j + 1]!, row[j]!));
    lengths.push(row);
  }
  const places: number[] = [];
  for (let [i, j] = [first.length, second.length]; i > 0 && j > 0; ) {
    if (first[i - 1] === second[j - 1]) {
      places.push(--i);
      j--;
    } else if (lengths[i]![j - 1]! > lengths[i - 1]![j]!) j--;
    else i--;
  }
  return places;
}

it.each([8, 40, 200])(
  'common subsequences are those of tables, with each of several sentences of up to %d words',
  (longest) => {
    const random = new Random(longest, 'words');
    const below = (count: number) => Math.floor(random.uniform() * count);
    for (let time = 0; time < 200; time++) {
      const words = 1 + below(6);
      const sentence = () => Array.from({ length: below(longest + 1) }, () => `w${below(words)}`);
      const [first, others] = [sentence(), Array.from({ length: below(6) }, sentence)];
      const expected = new Set(others.flatMap((other) => byTable(first, other)));
      expect(
        new CommonSubsequences(others).with(first, () => {}),
        `${time}`,
      ).toEqual(expected);
    }
  },
);
