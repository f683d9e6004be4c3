import { detectFormat } from '../../data/detect-format.ts';
import { parseRows } from '../../data/parse-rows.ts';
import type { DataOptions, OnSkipped, Row } from '../../data/row.ts';
import { UserError } from '../../support/user-error.ts';
import type { ReadingFlags } from '../task-definition.ts';

const STANDARD_INPUT = 'standard input';

/** How to read a file of rows, but for its format. */
export type Columns = Omit<DataOptions, 'format'>;

/**
 * How to read a file for a trained model: as in its run, except for what flags say. With a column given by flag the
 * file is another than the run's, and has a header if a column in use has a name.
 *
 * @param needsLabel false to predict: then a file without labels is as good
 * @throws UserError when a label is needed and neither says where it stands
 */
export function useColumns(run: Columns, flags: ReadingFlags, needsLabel: boolean): Columns {
  const columns = { ...run, ...flags } as Columns;
  const { text, text_pair, label, header, quote } = columns;
  if (needsLabel && label === undefined) {
    throw new UserError({ where: '--label', expected: 'the column of the label', got: 'nothing' });
  }
  const isOther = [flags.text, flags.text_pair, flags.label].some((column) => column !== undefined);
  const inUse = isOther ? [text, text_pair, needsLabel ? label : undefined] : [text, text_pair, label];
  const isNamed = inUse.some((column) => typeof column === 'string');
  return {
    ...columns,
    label: needsLabel ? label : undefined,
    header: (flags.header as boolean | undefined) ?? (isOther ? isNamed : (header ?? isNamed)),
    quote,
  };
}

/** The same for a file, whose name may say that it is JSON Lines. */
export function columnsFor(file: string, columns: Columns): Columns {
  return detectFormat(file, '') === 'jsonl' ? jsonKeys(columns) : columns;
}

/** Columns of JSON Lines have names: those given by number are called `text` and so on. */
function jsonKeys(columns: Columns): Columns {
  const named = (column: string | number | undefined, name: string) =>
    typeof column === 'number' ? name : column;
  return {
    ...columns,
    text: named(columns.text, 'text') ?? 'text',
    text_pair: named(columns.text_pair, 'text_pair'),
    label: named(columns.label, 'label'),
  };
}

/**
 * Rows from standard input: JSON where it begins with `{` or `[`, a table with the given columns where its first line has
 * a tab, or commas between the names of these columns; else one text a line, of which a blank one keeps its place.
 */
export function rowsFromInput(content: string, columns: Columns, onSkipped?: OnSkipped): Row[] {
  const body = content.replace(/^\ufeff/, '');
  if (/^\s*(\{|\[\s*\{)/.test(body))
    return parseRows(body, STANDARD_INPUT, { ...jsonKeys(columns), format: 'jsonl' }, onSkipped);
  const [first] = body.split('\n', 1);
  if (first.includes('\t') || columns.delimiter !== undefined)
    return parseRows(body, STANDARD_INPUT, { ...columns, format: 'tsv' }, onSkipped);
  if (isCsv(first, columns)) return parseRows(body, STANDARD_INPUT, { ...columns, format: 'csv' }, onSkipped);
  if (columns.text_pair !== undefined) {
    throw new UserError({
      where: STANDARD_INPUT,
      expected: 'pairs of texts: separated by tabs, as CSV or as JSON lines',
      got: body.trim() === '' ? 'nothing' : 'lines of one text',
    });
  }
  if (body.trim() === '') throw new UserError({ where: STANDARD_INPUT, expected: 'rows', got: 'nothing' });
  const lines = body.replace(/\r?\n$/, '').split(/\r?\n/);
  return lines.map((text, i) => ({ line: i + 1, text }));
}

/** Whether commas separate fields: they do where they part the names in use, and those of a pair by number. */
function isCsv(first: string, { text, text_pair, quote }: Columns): boolean {
  if (quote) return true;
  const fields = first.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
  const columns = [text, text_pair].filter((column) => column !== undefined);
  const names = columns.filter((column) => typeof column === 'string');
  if (names.length > 0) return fields.length > 1 && names.every((name) => fields.includes(name));
  return text_pair !== undefined && fields.length > Math.max(Number(text), Number(text_pair));
}
