import { z } from 'zod';
import type { Problem } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';

const nonEmpty = z.string().min(1);

const column = z.union([nonEmpty, z.int().min(0)], {
  error: 'expected a JSON key, or the number of a column from 0',
});

/** Files with a tag for each word, and how they are read. */
export const wordDataSchema = z.strictObject({
  /** CoNLL columns or JSON Lines. */
  ...dataFileKeys,
  /** Key or column of the words. Default: `tokens` or `words` in JSON, else the first column. */
  words: column.optional(),
  /** Key or column of the tags. Default: `ner_tags`, `tags` or `labels` in JSON, else the last column. */
  tags: column.optional(),
  /** List of all tags. Tags given as numbers in JSON Lines are indices into it. */
  label_names: z.array(nonEmpty).min(2).optional(),
  /** Maximum number of tokens, special tokens included. Longer sentences are truncated. */
  max_length: z.int().min(1).default(128),
});

export type WordData = z.output<typeof wordDataSchema>;

/** Finds problems of the section: the same column for words and tags, or a repeated tag. */
export function wordProblems({ words, tags, label_names = [] }: WordData): Problem[] {
  const problems: Problem[] = [];
  if (words !== undefined && words === tags)
    problems.push({ path: ['data', 'tags'], fault: 'and data.words name the same column' });
  const twice = label_names.find((name, i) => label_names.indexOf(name) !== i);
  if (twice !== undefined) problems.push({ path: ['data', 'label_names'], fault: `has "${twice}" twice` });
  return problems;
}
