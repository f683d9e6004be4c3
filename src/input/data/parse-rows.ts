import { largest } from '../../support/numbers.ts';
import { suggestAmong } from '../../support/text.ts';
import { attemptAll, InvalidData, UserError } from '../../support/user-error.ts';
import { parseJsonl } from './json-lines.ts';
import { type DelimitedTable, parseDelimited } from './parse-delimited.ts';
import {
  type DataOptions,
  labelFromFlags,
  type OnSkipped,
  type RawLabel,
  ROW_IDS,
  type Row,
  RowProblems,
} from './rows.ts';
import { type TableLayout, tableLayout } from './table-layout.ts';

/**
 * Reads rows from the content of a TSV, CSV or JSON Lines file. CRLF line ends and blank lines are
 * accepted. `fileName` determines the format (see `detectFormat`) and appears in messages.
 *
 * @param onSkipped called with the reasons and the number of skipped rows, if `on_bad_row` is `skip`
 * @throws UserError that lists all problems with file and line
 */
export function parseRows(
  body: string,
  fileName: string,
  options: DataOptions,
  onSkipped: OnSkipped = () => {},
): Row[] {
  const layout = tableLayout(body, fileName, options);
  const problems = new RowProblems(fileName);
  const rows = layout
    ? parseTable(body, fileName, layout, options, problems)
    : parseJsonl(body, fileName, options, problems);
  if (options.on_bad_row === 'skip') problems.tellSkipped(rows.length, onSkipped);
  else problems.throwIfAny();
  return rows;
}

function parseTable(
  body: string,
  fileName: string,
  { delimiter, quote }: TableLayout,
  options: DataOptions,
  problems: RowProblems,
): Row[] {
  const table = parseDelimited(body, fileName, delimiter, quote);
  return rowsFromTable(table, fileName, options, quote, problems);
}

const DEFAULT_LABEL_SEPARATOR = ';';

/**
 * Selects the text, pair and label columns of a table. With a header, every record must have as many fields
 * as the header. In a quoted file without a header, it must have as many fields as the first record. In other
 * files, a record may lack fields that are not used.
 *
 * @param problems collects records with a wrong number of fields or without a label; these are skipped
 * @throws UserError for an unknown column
 */
function rowsFromTable(
  table: DelimitedTable,
  fileName: string,
  options: DataOptions,
  quote: boolean,
  problems: RowProblems,
): Row[] {
  const { records, lines } = table;
  const { text, text_pair, others = [], label } = options;
  const labels = label === undefined ? [] : [label].flat();
  const hasHeader =
    options.header ?? [text, text_pair, ...others, ...labels].some((column) => typeof column === 'string');
  const header = hasHeader ? records[0] : undefined;
  const first = hasHeader ? 1 : 0;
  if (records.length <= first) {
    throw new InvalidData({
      where: fileName,
      fault: records.length > 0 ? 'has a header and no rows' : 'is empty',
      hint:
        records.length > 0
          ? 'If the first line is a row, set header: false (--no-header) and number the columns.'
          : undefined,
    });
  }
  const width = records[0]!.length;
  const column = (given: string | number) => columnIndex(given, header, width, fileName);
  const [textAt, pairAt, ...furtherAt] = attemptAll([
    () => column(text),
    () => (text_pair === undefined ? undefined : column(text_pair)),
    ...[...others, ...labels].map((name) => () => column(name)),
  ]) as [number, number | undefined, ...number[]];
  const [othersAt, labelsAt] = [furtherAt.slice(0, others.length), furtherAt.slice(others.length)];
  const [labelAt] = labelsAt;
  const idAt = label === undefined ? (header?.findIndex((name) => ROW_IDS.includes(name.trim())) ?? -1) : -1;
  const needed = largest([textAt, pairAt ?? 0, ...furtherAt]) + 1;
  const exact = hasHeader || quote;
  const separator = options.label_separator ?? DEFAULT_LABEL_SEPARATOR;

  const rows: Row[] = [];
  for (let i = first; i < records.length; i++) {
    const record = records[i]!;
    if (exact ? record.length !== width : record.length < needed) {
      problems.add(lines[i]!, {
        kind: 'fields',
        fault: `has ${record.length} ${record.length === 1 ? 'field' : 'fields'} instead of ${exact ? `${width}, as in ${hasHeader ? 'the header' : 'the first row'}` : `at least ${needed}`}`,
        hint: quote ? undefined : 'If fields are enclosed in double quotes, set data.quote: true.',
      });
      continue;
    }
    const row: Row = { line: lines[i]!, text: record[textAt]! };
    if (problems.count > 0) row.place = i - first;
    if (pairAt !== undefined) row.textPair = record[pairAt];
    if (others.length > 0)
      row.others = othersAt.map((at) => record[at]!).filter((other) => other.trim() !== '');
    if (idAt >= 0) row.id = record[idAt];
    if (Array.isArray(label)) {
      const values = labelsAt.map((at) => record[at]);
      row.label = labelFromFlags(label, values, options, row.line, problems);
      if (row.label === undefined) continue;
    } else if (labelAt !== undefined) {
      const parsed = options.listed ? splitLabels(record[labelAt]!, separator) : record[labelAt]!.trim();
      if (parsed === '') {
        problems.add(lines[i]!, {
          fault: `has no label in column ${label}`,
          hint: options.on_bad_row === 'skip' ? undefined : 'To skip such rows, set data.on_bad_row: skip.',
        });
        continue;
      }
      row.label = parsed;
    }
    rows.push(row);
  }
  return rows;
}

/** An empty field means that no label applies to the row. */
function splitLabels(field: string, separator: string): RawLabel {
  return field
    .split(separator)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function columnIndex(column: string | number, header: string[] | undefined, width: number, fileName: string) {
  if (typeof column === 'number') {
    if (Number.isInteger(column) && column >= 0 && column < width) return column;
    throw new UserError({
      where: fileName,
      fault: `has columns 0 to ${width - 1}, not ${column}`,
      code: 'unknown_column',
    });
  }
  if (!header) {
    const hint = 'Use the number of the column, from 0.';
    throw new UserError({
      where: fileName,
      fault: `has no header, so there is no column "${column}"`,
      hint,
      code: 'unknown_column',
    });
  }
  const names = header.map((name) => name.trim());
  const index = names.indexOf(column);
  if (index < 0) {
    const hint = otherDelimiter(column, names) ?? suggestAmong(column, names, "The file's columns");
    throw new UserError({
      where: fileName,
      fault: `has no column "${column}"`,
      hint,
      code: 'unknown_column',
    });
  }
  if (names.lastIndexOf(column) !== index) {
    const hint = 'Use the number of the column, from 0.';
    throw new UserError({
      where: fileName,
      fault: `has several columns "${column}"`,
      hint,
      code: 'unknown_column',
    });
  }
  return index;
}

/**
 * The hint for a wrong delimiter: the header has only one name, and another delimiter would split it into
 * names that include the requested column.
 */
function otherDelimiter(current: string, names: readonly string[]): string | undefined {
  if (names.length > 1) return undefined;
  const found = DELIMITERS.find(([delimiter]) =>
    names[0]!.split(delimiter).some((name) => name.trim() === current),
  );
  return (
    found && `Fields seem to be separated by ${found[1]}. Set data.delimiter, or use --delimiter ${found[2]}.`
  );
}

/** Delimiters: the character, its name, and how to type it in a shell. */
const DELIMITERS = [
  [';', 'semicolons', "';'"],
  [',', 'commas', ','],
  ['\t', 'tabs', "$'\\t'"],
  ['|', 'bars', "'|'"],
] as const;
