import { fileLines } from '../../input/data/file-lines.ts';
import type { RowProblem, RowProblems } from '../../input/data/rows.ts';
import { type ConllShape, conllShape, isBoundary, splitLine } from './conll-shape.ts';
import type { TaggedSentence, WordColumns } from './tagged-sentence.ts';

/**
 * Numbers of CoNLL-U lines without a word: `1-2` for one written form of two words, `3.1` for a word that is not
 * written.
 */
const NO_WORD = /^\d+[-.]\d+$/;

/**
 * Reads the sentences of a file with CoNLL columns: one word per line, with its tag in another column.
 *
 * - An empty line or `-DOCSTART-` ends a sentence.
 * - Columns are separated by tabs if the first row has a tab, otherwise by spaces.
 * - A line that begins with `#` is a comment. If it has as many columns as the first row, it is a row with a hash as
 *   its word.
 * - For CoNLL-U, use the columns `words: 1` and for parts of speech `tags: 3`. Lines without a word are skipped.
 *
 * @param problems collects the problems of single lines, which are skipped
 * @throws UserError for columns that the file does not have, and like {@link fileLines}
 */
export function* conllSentences(
  content: string,
  fileName: string,
  columns: WordColumns,
  labelled: boolean,
  problems: RowProblems,
): Iterable<TaggedSentence> {
  const shape = conllShape(content, fileName, columns, labelled);
  if (!shape) return;
  let sentence = emptySentence();
  for (const { line, text } of fileLines(content, fileName)) {
    if (isBoundary(text)) {
      if (sentence.words.length > 0) yield { ...sentence, line: sentence.lines[0]! };
      sentence = emptySentence();
      continue;
    }
    const fields = splitLine(text, shape);
    if (text.startsWith('#') && fields.length !== shape.width) continue;
    if (shape.word > 0 && NO_WORD.test(fields[0]!)) continue;
    const problem = wrongFields(fields, shape);
    if (problem) {
      problems.add(line, problem);
      continue;
    }
    sentence.words.push(fields[shape.word]!);
    if (shape.tag !== undefined) sentence.tags.push(fields[shape.tag]!);
    sentence.lines.push(line);
  }
  if (sentence.words.length > 0) yield { ...sentence, line: sentence.lines[0]! };
}

function emptySentence() {
  return { words: [] as string[], tags: [] as string[], lines: [] as number[] };
}

function wrongFields(
  fields: readonly string[],
  { width, line, word, tag, isExact, isTabbed }: ConllShape,
): RowProblem | undefined {
  const needed = Math.max(word, tag ?? 0) + 1;
  if (isExact ? fields.length !== width : fields.length < needed) {
    return {
      kind: 'columns',
      fault: `has ${fields.length} ${fields.length === 1 ? 'column' : 'columns'} instead of ${isExact ? `${width}, as in line ${line}` : `at least ${needed}`}`,
      hint: isTabbed
        ? undefined
        : 'Spaces separate columns here. If words contain spaces, separate columns by tabs.',
    };
  }
  if (fields[word] === '') return { fault: `has no word in column ${word}` };
  if (tag !== undefined && fields[tag] === '') return { fault: `has no tag in column ${tag}` };
  return undefined;
}
