import { fileLines } from '../../data/file-lines.ts';
import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import type { ReadingFlags, ReadingOf } from '../task-definition.ts';
import { type WordData, wordDataSchema } from './data-section.ts';
import { isPlainText } from './is-plain-text.ts';
import { readSentences } from './read-sentences.ts';
import { textWords } from './text-words.ts';

const STANDARD_INPUT = 'standard input';
/** Keys of `data` that flags may set. `--text` sets `words`, and `--label` sets `tags`. */
const KEYS = Object.keys(wordDataSchema.shape);
const MEANING: Readonly<Record<string, 'words' | 'tags'>> = { text: 'words', label: 'tags' };

/**
 * The settings for reading another file than the run's. `--text` names the column of words, `--label` the column of tags.
 *
 * @throws UserError for an unsupported flag
 */
export function wordsWithFlags(reading: ReadingOf<WordData>, flags: ReadingFlags): ReadingOf<WordData> {
  const changed: Record<string, unknown> = { ...reading };
  for (const [key, value] of Object.entries(flags)) {
    const meaning = Object.hasOwn(MEANING, key) ? MEANING[key] : key;
    if (KEYS.includes(meaning)) changed[meaning] = value;
    else {
      const hint = suggest(key, Object.keys(MEANING));
      throw new UserError({ where: `--${key}`, fault: 'does not apply to task token_classification', hint });
    }
  }
  return changed;
}

/**
 * Reads sentences to tag from a file or, without a name, from standard input: JSON Lines, CoNLL columns, or plain text
 * with one sentence per line. A blank line keeps its place.
 *
 * @throws UserError like {@link readSentences}, and for lines that may be columns as well as sentences
 */
export function sentencesToTag(
  content: string,
  fileName: string | undefined,
  reading: ReadingOf<WordData>,
): { words: readonly string[] }[] {
  const body = content.replace(/^\ufeff/, '');
  const where = fileName ?? STANDARD_INPUT;
  if (!isPlainText(body, fileName, reading)) return readSentences(body, where, reading, false);
  if (body.trim() === '') throw new UserError({ where, fault: 'has no sentences' });
  return Array.from(fileLines(body, where), ({ line, text }) => ({
    line,
    words: textWords(text).map((word) => word.text),
  }));
}
