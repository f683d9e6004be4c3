import { extensionOf } from '../../data/extension-of.ts';
import { fileLines } from '../../data/file-lines.ts';
import { UserError } from '../../support/user-error.ts';
import { isBoundary, splitLine } from './conll-shape.ts';
import type { WordColumns } from './tagged-sentence.ts';

const TAG = /^(O|[BIESLUM]-\S+)$/;
/**
 * Maximum number of columns in files that do not end lines with a tag. They have a word, its part of speech, its chunk.
 */
const MAX_COLUMNS = 4;

/**
 * Whether the lines of a text are sentences. Otherwise, they are JSON or CoNLL columns. Columns have tabs, tags at the
 * end of lines, one word per line, or an extension other than `.txt`.
 *
 * @param fileName undefined for standard input, where one word per line is also a sentence
 * @throws UserError if the lines of a file may be either
 */
export function isPlainText(body: string, fileName: string | undefined, { words }: WordColumns): boolean {
  const extension = fileName === undefined ? 'txt' : (extensionOf(fileName) ?? 'txt');
  if (extension !== 'txt' || /^\s*(\[\s*)?\{\s*"/.test(body)) return false;
  const lines = Array.from(fileLines(body, fileName ?? 'standard input'), ({ text }) => text);
  const rows = lines.filter((text) => !isBoundary(text) && !text.startsWith('#'));
  if (rows.length === 0) return true;
  if (rows[0].includes('\t') || lines.some((text) => text.startsWith('-DOCSTART-'))) return false;
  const fields = rows.map((text) => splitLine(text, { isTabbed: false }));
  const width = fields[0].length;
  const isEven = fields.every(({ length }) => length === width);
  if (isEven && width === 1) return fileName === undefined;
  const tagged = fields.filter((row) => row.length > 1 && TAG.test(row[row.length - 1])).length;
  if (2 * tagged >= rows.length) return false;
  if (fileName === undefined || !isEven || rows.length === 1) return true;
  if (typeof words === 'number') return false;
  if (width > MAX_COLUMNS || rows.length === lines.length) return true;
  throw new UserError({
    where: fileName,
    fault: `may contain sentences or columns: all its lines have ${width} words`,
    hint: 'To read sentences: predict MODEL < FILE. To read columns: --text 0, the number of the word column.',
  });
}
