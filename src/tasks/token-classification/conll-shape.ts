import { type FileLine, fileLines } from '../../input/data/file-lines.ts';
import { trimEnd } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { WordColumns } from './tagged-sentence.ts';

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
  labelled: boolean,
): ConllShape | undefined {
  const first = firstRow(content, fileName);
  if (!first) return undefined;
  const isTabbed = first.text.includes('\t');
  const width = splitLine(first.text, { isTabbed }).length;
  if (labelled && width < 2) {
    const hint = 'Write one word per line with its tag after it, and an empty line after each sentence.';
    const where = `${fileName}:${first.line}`;
    throw new InvalidData({ where, fault: 'has one column instead of a word and its tag', hint });
  }
  const column = (given: string | number) => columnNumber(given, width, fileName);
  return {
    isTabbed,
    width,
    line: first.line,
    isExact: labelled && (columns.words === undefined || columns.tags === undefined),
    word: column(columns.words ?? 0),
    tag: labelled ? column(columns.tags ?? width - 1) : undefined,
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
