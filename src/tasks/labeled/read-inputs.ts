import { beginsWithObject, detectFormat, firstLine, TEXT_NAME } from '../../input/data/detect-format.ts';
import { fileLines } from '../../input/data/file-lines.ts';
import { MAX_FIELDS, parseDelimited } from '../../input/data/parse-delimited.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import type { DataOptions, FileFormat, OnSkipped, Row } from '../../input/data/rows.ts';
import { looksLikeHeader, tableLayout } from '../../input/data/table-layout.ts';
import { MEDIA } from '../../input/media/media.ts';
import { listNames } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { InputShape } from '../assert-input.ts';
import type { ReadingFlags, ReadingOf } from '../prediction.ts';
import { STANDARD_INPUT, withFlags } from '../table-columns.ts';
import { type LabeledData, labeledDataSchema } from './data-section.ts';
import type { RowInput } from './read-rows.ts';

/** A text or a pair of texts to predict for, with the names of a config's `data` section. */
export interface TextInput {
  text: string;
  /** The second text, for a run on pairs. */
  text_pair?: string | undefined;
  id?: string;
}

/** Rows of a file as inputs. */
export function toInputs(rows: readonly RowInput[]): TextInput[] {
  return rows.map(({ textPair, ...row }) => ({ ...row, text_pair: textPair }));
}

/** Inputs as rows. */
export function toRows(inputs: readonly TextInput[]): RowInput[] {
  return inputs.map(({ text_pair, ...row }) => ({ ...row, textPair: text_pair }));
}

/** Names of the keys that rows of files have besides their texts. */
const OTHERS = ['line', 'id', 'place', 'label', 'content', ...MEDIA.map(({ name }) => name)];

/** Texts or pairs, as in the run. Without a run, there is no label column, and both are accepted. */
export function textsShape({ text_pair, label }: Partial<ReadingOf<LabeledData>>): InputShape {
  const text = { is: 'a string' } as const;
  if (text_pair !== undefined)
    return { keys: { text, text_pair: { ...text, why: 'its run is on pairs of texts' } }, others: OTHERS };
  const pair =
    label === undefined
      ? ({ ...text, optional: true } as const)
      : ({ is: 'nothing', why: 'its run is on single texts' } as const);
  return { keys: { text, text_pair: pair }, others: OTHERS };
}

/** The settings for reading a file of rows, except its format. */
export type Columns = Omit<DataOptions, 'format'>;

/**
 * The settings for reading a file for a trained model: those of its run, changed by flags. If a flag names a column, the file's
 * layout differs from the run's. Then it has a header if any column in use is given by name.
 *
 * @param needsLabel false for prediction, which accepts a file without labels
 * @throws UserError if a label is needed and no column is known, and for flags of other tasks
 */
export function useColumns(run: Columns, flags: ReadingFlags, needsLabel: boolean): Columns {
  const columns = withFlags(labeledDataSchema, run, flags, 'labeled texts');
  const { text, text_pair, label, header, quote } = columns;
  if (needsLabel && label === undefined) {
    throw new UserError({
      where: '--label',
      fault: 'needs the name of the label column',
      code: 'invalid_argument',
    });
  }
  const isOther = [flags.text, flags.text_pair, flags.label].some((column) => column !== undefined);
  const inUse = isOther ? [text, text_pair, needsLabel ? label : undefined] : [text, text_pair, label];
  // A model that no run trained has no columns, so each file is inspected.
  const isKnown = run.label !== undefined || run.text_pair !== undefined || run.text !== 0;
  const isNamed = inUse.some((column) => typeof column === 'string');
  return {
    ...columns,
    label: needsLabel ? label : undefined,
    header:
      (flags.header as boolean | undefined) ??
      (isOther ? isNamed : (header ?? (isKnown ? isNamed : undefined))),
    quote,
  };
}

/** The settings for reading a file with this name, which may show that it is JSON Lines. */
export function columnsFor(file: string, columns: Columns): Columns {
  return detectFormat(file, '') === 'jsonl' ? jsonKeys(columns) : columns;
}

/** JSON Lines have no column numbers, so numbered columns get the names `text` and so on. */
export function jsonKeys(columns: Columns): Columns {
  const named = (column: string | number | undefined, name: string) =>
    typeof column === 'number' ? name : column;
  return {
    ...columns,
    text: named(columns.text, 'text') ?? 'text',
    text_pair: named(columns.text_pair, 'text_pair'),
    label: Array.isArray(columns.label) ? columns.label : named(columns.label as string, 'label'),
  };
}

/**
 * Reads rows from standard input. The input is JSON if it begins with `{` or `[`, and a table if its first line fits
 * the given columns. Otherwise, each line is a text, and a blank line keeps its place.
 */
export function rowsFromInput(body: string, columns: Columns, onSkipped?: OnSkipped): Row[] {
  if (beginsWithObject(body))
    return parseRows(body, STANDARD_INPUT, { ...jsonKeys(columns), format: 'jsonl' }, onSkipped);
  const [first] = body.split('\n', 1);
  const format = tableFormat(first!, columns);
  if (format) return tableRows(body, STANDARD_INPUT, { ...columns, format }, onSkipped);
  if (columns.text_pair !== undefined) {
    throw new InvalidData({
      where: STANDARD_INPUT,
      fault:
        body.trim() === ''
          ? 'is empty'
          : 'has one text per row, but two are needed: separate them with a tab, or use CSV or JSON Lines',
    });
  }
  if (body.trim() === '') throw new InvalidData({ where: STANDARD_INPUT, fault: 'has no rows' });
  return [...fileLines(body, STANDARD_INPUT)];
}

/**
 * Reads rows of a file as {@link parseRows} does. If its lines are plain text, reads one text per line. A blank line
 * then keeps its place, as on standard input.
 *
 * @throws UserError for a table with an unknown text column
 */
export function rowsFromFile(body: string, fileName: string, columns: Columns, onSkipped?: OnSkipped): Row[] {
  if (isPlainLines(body, fileName, columns)) return [...fileLines(body, fileName)];
  return tableRows(body, fileName, columns, onSkipped);
}

function isPlainLines(body: string, fileName: string, columns: Columns): boolean {
  const { text, text_pair, header, quote, delimiter } = columns;
  if (text !== 0 || text_pair !== undefined || header || quote || delimiter !== undefined) return false;
  const first = firstLine(body);
  const isHeader = header === undefined && TEXT_NAME.test(first.trim());
  return body.trim() !== '' && detectFormat(fileName, body) === 'tsv' && !first.includes('\t') && !isHeader;
}

/** Reads rows from a table or JSON. Without columns from a run, the header decides which columns to read. */
function tableRows(body: string, fileName: string, columns: DataOptions, onSkipped?: OnSkipped): Row[] {
  const layout = columns.header === undefined ? tableLayout(body, fileName, columns) : undefined;
  if (!layout) return parseRows(body, fileName, columns, onSkipped);
  const { records } = parseDelimited(body, fileName, layout.delimiter, layout.quote);
  const [first = []] = records;
  const text = first.findIndex((name) => TEXT_NAME.test(name.trim()));
  if (text >= 0 && looksLikeHeader(records))
    return parseRows(body, fileName, { ...columns, text, header: true }, onSkipped);
  if (first.length > 1) {
    const hint =
      'Say which has the texts: --text NAME if the first line names the columns, else --text NUMBER from 0.';
    throw new UserError({
      where: fileName,
      fault: `has ${first.length} columns, none named text (${listNames(first.map((name) => name.slice(0, 40)))})`,
      hint,
      code: 'unknown_column',
    });
  }
  return parseRows(body, fileName, { ...columns, header: false }, onSkipped);
}

/**
 * The format of a table, from its first line. Undefined if lines are texts.
 *
 * - A line with a tab is a TSV table, unless a delimiter is given.
 * - A line with commas, or with the given delimiter, is a table if its fields contain the column names in use.
 * - If columns have numbers, the line must have the columns of a pair, unless the run sets a delimiter or quotes.
 */
function tableFormat(first: string, columns: Columns): FileFormat | undefined {
  const { text, text_pair, quote, delimiter } = columns;
  if (delimiter === undefined && first.includes('\t')) return 'tsv';
  const parts = first.split(delimiter ?? ',', MAX_FIELDS + 1);
  const fields = parts.map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
  const used = [text, text_pair].filter((column) => column !== undefined);
  const names = used.filter((column) => typeof column === 'string');
  const isParted = fields.length > 1;
  if (names.length > 0) return isParted && names.every((name) => fields.includes(name)) ? 'csv' : undefined;
  const isPair = text_pair !== undefined && fields.length > Math.max(Number(text), Number(text_pair));
  const isSaid = (delimiter !== undefined || quote) && isParted;
  return isPair || isSaid || (quote && first.startsWith('"')) ? 'csv' : undefined;
}
