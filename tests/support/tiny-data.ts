import { writeFileSync } from 'node:fs';
import { Random } from '../../src/support/random.ts';

/** A made-up row that a small model can learn. The words determine all labels. */
export interface TinyRow {
  text: string;
  pair: string;
  /** Whether the text is good or bad. `not` inverts it. */
  label: 'bad' | 'good';
  /** A number from -2 to 2. */
  score: number;
  /** The animals in the text. */
  tags: string[];
}

const ANIMALS = ['cat', 'dog', 'bird', 'fish'];
const VERBS = ['sat', 'ran', 'flew', 'swam'];

/** Rows of 4 to 14 words. The same seed gives the same rows. */
export function tinyRows(count: number, seed: number): TinyRow[] {
  const random = new Random(seed, 'tiny rows');
  const chance = (options: readonly string[]) => options[random.integer(options.length)]!;
  return Array.from({ length: count }, () => {
    const animals = [chance(ANIMALS), ...(random.uniform() < 0.4 ? [chance(ANIMALS)] : [])];
    const isGood = random.uniform() < 0.5;
    const isStrong = random.uniform() < 0.5;
    const filler =
      random.uniform() < 0.3 ? ` on the ${chance(['mat', 'log'])}, ${chance(VERBS)}, ${chance(VERBS)}` : '';
    const quality = `${isStrong ? 'very ' : ''}${isGood ? 'good' : 'bad'}`;
    return {
      text: `the ${animals.join(', the ')} ${chance(VERBS)}${filler} ${quality}.`,
      pair: `a ${chance(ANIMALS)} ${chance(VERBS)} on the mat.`,
      label: isGood ? 'good' : 'bad',
      score: (isGood ? 1 : -1) * (isStrong ? 2 : 1),
      tags: [...new Set(animals)].sort(),
    };
  });
}

/** Writes rows as TSV with the columns `sentence`, `pair`, `label`, `score` and `tags`. */
export function writeTinyData(path: string, count: number, seed: number): void {
  const lines = tinyRows(count, seed).map(({ text, pair, label, score, tags }) =>
    [text, pair, label, score, tags.join(';')].join('\t'),
  );
  writeFileSync(path, `${['sentence\tpair\tlabel\tscore\ttags', ...lines].join('\n')}\n`);
}
