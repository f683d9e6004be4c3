import { type FileLine, fileLines } from '../../input/data/file-lines.ts';
import type { RowProblem, RowProblems } from '../../input/data/rows.ts';
import { trimEnd } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';

/** The layout of a file with CoNLL columns. */
export interface ConllShape {
  /** Whether columns are separated by tabs instead of spaces. */
  isTabbed: boolean;
  /** Number of columns in the first row, and the line of that row. */
  width: number;
  line: number;
  /** Whether every row must have this many columns. */
  isExact: boolean;
  /** Indices of the columns for words and, if they are read, for tags. */
  word: number;
  tag: number | undefined;
}

/**
 * Determines the shape of a file from its first row. Undefined if the file is empty. Rows may differ in width only if
 * both columns are given by number, because otherwise the last column is used.
 *
 * @throws UserError for columns that the first row does not have
 */
export function conllShape(
  content: string,
  fileName: string,
  columns: WordColumns,
  labeled: boolean,
): ConllShape | undefined {
  const first = firstRow(content, fileName);
  if (!first) return undefined;
  const isTabbed = first.text.includes('\t');
  const width = splitLine(first.text, { isTabbed }).length;
  if (labeled && width < 2) {
    const hint = 'Write one word per line with its tag after it, and an empty line after each sentence.';
    const where = `${fileName}:${first.line}`;
    throw new InvalidData({ where, fault: 'has one column instead of a word and its tag', hint });
  }
  const column = (name: string | number) => columnNumber(name, width, fileName);
  return {
    isTabbed,
    width,
    line: first.line,
    isExact: labeled && (columns.words === undefined || columns.tags === undefined),
    word: column(columns.words ?? 0),
    tag: labeled ? column(columns.tags ?? width - 1) : undefined,
  };
}

/** Splits a line into columns. Only tabs and spaces are separators, because words may contain other white space. */
export function splitLine(text: string, { isTabbed }: Pick<ConllShape, 'isTabbed'>): string[] {
  const trimmed = (field: string) => trimEnd(field.replace(/^ +/, ''), / /);
  return isTabbed ? text.split('\t').map(trimmed) : trimmed(text).split(/[ \t]+/);
}

/** Whether a line of CoNLL columns separates sentences. */
export function isBoundary(text: string): boolean {
  return text.startsWith('-DOCSTART-') || text.trim() === '';
}

/** The first line with columns. A line that begins with `#` counts only if every line does. */
function firstRow(content: string, fileName: string): FileLine | undefined {
  let hash: FileLine | undefined;
  for (const row of fileLines(content, fileName)) {
    if (isBoundary(row.text)) continue;
    if (!row.text.startsWith('#')) return row;
    hash ??= row;
  }
  return hash;
}

function columnNumber(column: string | number, width: number, fileName: string): number {
  if (typeof column === 'string') {
    const hint = 'Columns of CoNLL files have no names. Give the number, from 0.';
    throw new UserError({
      where: fileName,
      fault: `has numbered columns, so "${column}" cannot name one`,
      hint,
      code: 'unknown_column',
    });
  }
  if (Number.isInteger(column) && column >= 0 && column < width) return column;
  throw new UserError({
    where: fileName,
    fault: `has columns 0 to ${width - 1}, not ${column}`,
    code: 'unknown_column',
  });
}

/** A sentence as a list of words. In labeled data, each word has a tag. */
export interface TaggedSentence {
  /** The line of the file on which the sentence starts, from 1. */
  line: number;
  words: readonly string[];
  /** One tag per word. Empty in data without labels. */
  tags: readonly string[];
  /** The line of each word, if each word has its own line. */
  lines?: readonly number[];
}

/** The places of words and tags in a file: keys of JSON Lines, or numbers of CoNLL columns from 0. */
export interface WordColumns {
  /** Key or column of the words. Default: `tokens` or `words` in JSON Lines, else the first column. */
  words?: string | number;
  /** Key or column of the tags. Default: `ner_tags`, `tags` or `labels` in JSON Lines, else the last column. */
  tags?: string | number;
  /** All tags. JSON Lines may contain indices into this list instead of tags. */
  label_names?: readonly string[];
}

/** The line of a word, or of its sentence if the lines of words are unknown. */
export function findLine({ line, lines }: TaggedSentence, word: number): number {
  return lines?.[word] ?? line;
}

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
  labeled: boolean,
  problems: RowProblems,
): Iterable<TaggedSentence> {
  const shape = conllShape(content, fileName, columns, labeled);
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
