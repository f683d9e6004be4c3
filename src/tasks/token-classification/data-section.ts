import { z } from 'zod';
import { type Problem, shown } from '../../support/problem.ts';
import { dataFiles } from '../data-files.ts';

const given = z.string().min(1);

const column = z.union([given, z.int().min(0)], {
  error: 'expected a key of JSON Lines, or the number of a column from 0',
});

/** Where sentences with a tag for each word are, and how they are read. */
export const wordDataSchema = z.strictObject({
  /** Files in CoNLL columns, or JSON Lines. */
  ...dataFiles,
  /** Key or column of the words. Default: `tokens` or `words`; the first column. */
  words: column.optional(),
  /** Key or column of the tags. Default: `ner_tags`, `tags` or `labels`; the last column. */
  tags: column.optional(),
  /** All tags there are. Where JSON Lines have numbers instead of tags, these are places in this list. */
  label_names: z.array(given).min(2).optional(),
  /** Tokens a sentence may have, special ones included; what is longer is cut. */
  max_length: z.int().min(1).default(128),
});

export type WordData = z.output<typeof wordDataSchema>;

/** One column for words and tags, and a tag that is named twice. */
export function wordProblems({ words, tags, label_names = [] }: WordData): Problem[] {
  const problems: Problem[] = [];
  if (words !== undefined && words === tags)
    problems.push({ path: ['data', 'tags'], expected: 'another column than data.words', got: shown(tags) });
  const twice = label_names.find((name, i) => label_names.indexOf(name) !== i);
  if (twice !== undefined)
    problems.push({ path: ['data', 'label_names'], expected: 'every tag once', got: `"${twice}" twice` });
  return problems;
}
