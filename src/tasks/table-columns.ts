import { z } from 'zod';
import { fileLines } from '../input/data/file-lines.ts';
import { suggest } from '../support/text.ts';
import { InvalidData, UserError } from '../support/user-error.ts';
import type { ReadingFlags } from './prediction.ts';

/** The name of standard input in messages. */
export const STANDARD_INPUT = 'standard input';

/** A column of a table. */
export const column = z.union([z.string().min(1), z.int().min(0)], {
  error: 'expected the name of a column, or its number from 0',
});

/** Keys that describe the layout of a table. */
export const layoutKeys = {
  /** Whether the first line is a header. Default: yes if a column is given by name. */
  header: z.boolean().optional(),
  /** Whether double quotes enclose fields. Default: yes in CSV, no in TSV. */
  quote: z.boolean().optional(),
};

/** The key for the separator of fields. */
export const delimiterKey = {
  /** Separator of fields, if not a tab (TSV) or a comma (CSV). */
  delimiter: z.string().length(1, { error: 'expected one character' }).optional(),
};

/**
 * The settings for reading another file than the run's: the run's settings, changed by flags.
 *
 * @param schema of the task's `data` section
 * @param what the data in messages
 * @param suggested the flags that a message may suggest. Default: all keys of the section
 * @throws UserError for a flag that the section does not have
 */
export function withFlags<Reading extends object>(
  { shape }: z.ZodObject,
  reading: Reading,
  flags: ReadingFlags,
  what: string,
  suggested = Object.keys(shape),
): Reading {
  const stray = Object.keys(flags).find((key) => !Object.hasOwn(shape, key));
  if (stray === undefined) return { ...reading, ...flags };
  throw new UserError({
    where: `--${stray}`,
    fault: `does not apply to ${what}`,
    hint: suggest(stray, suggested),
    code: 'invalid_argument',
  });
}

/** The lines of a file or of standard input, each a text. Blank lines keep their place. */
export function listTexts(content: string, fileName = STANDARD_INPUT): string[] {
  if (content.trim() !== '') return Array.from(fileLines(content, fileName), ({ text }) => text);
  throw new InvalidData({ where: fileName, fault: 'has no texts' });
}
