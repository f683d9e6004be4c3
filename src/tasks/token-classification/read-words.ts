import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import type { ReadingFlags, ReadingOf } from '../task-definition.ts';
import { type WordData, wordDataSchema } from './data-section.ts';
import { readSentences } from './read-sentences.ts';
import { textWords } from './text-words.ts';

const STANDARD_INPUT = 'standard input';
/** What flags for rows of texts mean here. */
const KEYS = Object.keys(wordDataSchema.shape);
const MEANING: Readonly<Record<string, 'words' | 'tags'>> = { text: 'words', label: 'tags' };

/**
 * How another file is read than the run's: `--text` names the column of the words, `--label` that of the tags.
 *
 * @throws UserError for a flag that means nothing here
 */
export function wordsWithFlags(reading: ReadingOf<WordData>, flags: ReadingFlags): ReadingOf<WordData> {
  const changed: Record<string, unknown> = { ...reading };
  for (const [key, value] of Object.entries(flags)) {
    const meaning = Object.hasOwn(MEANING, key) ? MEANING[key] : key;
    if (KEYS.includes(meaning)) changed[meaning] = value;
    else {
      const hint = suggest(key, Object.keys(MEANING));
      const got = 'one for rows of texts';
      throw new UserError({ where: `--${key}`, expected: 'a flag for task token_classification', got, hint });
    }
  }
  return changed;
}

/**
 * Sentences from standard input: JSON Lines where it begins with `{`, CoNLL columns where its first line has a tab, else
 * one sentence a line as plain text. Empty lines are none.
 */
export function sentencesTyped(
  content: string,
  reading: ReadingOf<WordData>,
): { words: readonly string[] }[] {
  const body = content.replace(/^\ufeff/, '');
  if (/^\s*\{/.test(body) || body.split('\n', 1)[0].includes('\t'))
    return readSentences(body, STANDARD_INPUT, reading, false);
  const sentences = body.split('\n').flatMap((line) => {
    const words = textWords(line).map(({ text }) => text);
    return words.length > 0 ? [{ words }] : [];
  });
  if (sentences.length > 0) return sentences;
  throw new UserError({ where: STANDARD_INPUT, expected: 'sentences', got: 'nothing' });
}
