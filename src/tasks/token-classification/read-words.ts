import { extensionOf } from '../../input/data/detect-format.ts';
import { fileLines } from '../../input/data/file-lines.ts';
import { suggest } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { ReadingFlags, ReadingOf } from '../task-definition.ts';
import { isBoundary, splitLine } from './conll-shape.ts';
import { type WordData, wordDataSchema } from './data-section.ts';
import { readSentences } from './read-sentences.ts';
import type { WordColumns } from './tagged-sentence.ts';
import { textWords } from './text-words.ts';

const TAG = /^(O|[BIESLUM]-\S+)$/;
/**
 * Maximum number of columns in files that do not end lines with a tag. They have a word, its part of speech, its chunk.
 */
const MAX_COLUMNS = 4;

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
    const meaning = Object.hasOwn(MEANING, key) ? MEANING[key]! : key;
    if (KEYS.includes(meaning)) changed[meaning] = value;
    else {
      const hint = suggest(key, Object.keys(MEANING));
      throw new UserError({
        where: `--${key}`,
        fault: 'does not apply to task token_classification',
        hint,
        code: 'invalid_argument',
      });
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
  if (body.trim() === '') throw new InvalidData({ where, fault: 'has no sentences' });
  return Array.from(fileLines(body, where), ({ line, text }) => ({
    line,
    words: textWords(text).map((word) => word.text),
  }));
}

/**
 * Whether the lines of a text are sentences. Otherwise, they are JSON or CoNLL columns. Columns have tabs, tags at the
 * end of lines, one word per line, or an extension other than `.txt`.
 *
 * @param fileName undefined for standard input, where one word per line is also a sentence
 * @throws UserError if the lines of a file may be either
 */
function isPlainText(body: string, fileName: string | undefined, { words }: WordColumns): boolean {
  const extension = fileName === undefined ? 'txt' : (extensionOf(fileName) ?? 'txt');
  if (extension !== 'txt' || /^\s*(\[\s*)?\{\s*"/.test(body)) return false;
  const lines = Array.from(fileLines(body, fileName ?? 'standard input'), ({ text }) => text);
  const rows = lines.filter((text) => !isBoundary(text) && !text.startsWith('#'));
  if (rows.length === 0) return true;
  if (rows[0]!.includes('\t') || lines.some((text) => text.startsWith('-DOCSTART-'))) return false;
  const fields = rows.map((text) => splitLine(text, { isTabbed: false }));
  const width = fields[0]!.length;
  const isEven = fields.every(({ length }) => length === width);
  if (isEven && width === 1) return fileName === undefined;
  const tagged = fields.filter((row) => row.length > 1 && TAG.test(row[row.length - 1]!)).length;
  if (2 * tagged >= rows.length) return false;
  if (fileName === undefined || !isEven || rows.length === 1) return true;
  if (typeof words === 'number') return false;
  if (width > MAX_COLUMNS || rows.length === lines.length) return true;
  throw new InvalidData({
    where: fileName,
    fault: `may contain sentences or columns: all its lines have ${width} words`,
    hint: 'To read sentences: predict MODEL < FILE. To read columns: --text 0, the number of the word column.',
  });
}
