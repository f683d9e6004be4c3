import { InvalidData, UserError } from '../../../support/user-error.ts';
import { detectFormat, firstLine } from '../detect-format.ts';
import { jsonLines, ownValue } from '../json-lines.ts';
import { parseDelimited } from '../parse-delimited.ts';
import { areFlags, type FileFormat, RowProblems } from '../rows.ts';
import { haveDecimalCommas, isNumber, looksLikeHeader, tableLayout } from '../table-layout.ts';

/** Rows of a file, each with a field for every column. */
export interface Table {
  fileName: string;
  columns: string[];
  /** A list of values is joined with {@link LIST_SEPARATOR}. */
  rows: string[][];
  /** JSON columns with lists of values (`list`), or with objects or lists of them (`object`), by name. */
  nested?: ReadonlyMap<string, 'list' | 'object'>;
  /** Whether the first line names the columns; undefined for JSON. */
  hasHeader?: boolean;
  /** Columns of 0 and 1, one for each label, that {@link joinFlags} has joined, by the name of the joined column. */
  joined?: ReadonlyMap<string, readonly string[]>;
  /** Number of rows with too many or too few fields. */
  ragged: number;
  /** The line of the first of these rows. */
  raggedAt?: number | undefined;
  /** Separator of fields, if it is not the one that the file's name implies. */
  delimiter?: string;
}

/** Separates the values of a list in a field, as in a CSV file with several labels per row. */
const LIST_SEPARATOR = ';';

/** Characters that spreadsheets and databases put between fields. */
const DELIMITERS = [',', ';', '|'];

/**
 * Reads a CSV, TSV or JSON Lines file with unknown columns.
 *
 * @param header whether the first line names the columns (default: detected)
 * @param format default: from the name, see `detectFormat`
 * @throws UserError for a file without rows, and for broken quotes or JSON
 */
export function readTable(
  content: string,
  name: string,
  { header, format = detectFormat(name, content) }: { header?: boolean; format?: FileFormat } = {},
): Table {
  if (content.trim() === '') throw new InvalidData({ where: name, fault: 'is empty' });
  refuseOtherLayout(content, name);
  const table = withDecimalPoints(
    format === 'jsonl' ? fromJson(content, name) : fromLines(content, name, format, header),
  );
  if (table.rows.length > 0) return table;
  const width = table.columns.length;
  const fault = `has ${width} ${width === 1 ? 'field' : 'fields'} in its first line, and another number in every other line`;
  throw new InvalidData({ where: name, fault: table.ragged > 0 ? fault : 'has a header and no rows' });
}

/** The table with a point in numbers that have a decimal comma. At least half of a column's fields must have one. */
function withDecimalPoints(table: Table): Table {
  const columns = table.columns.flatMap((_, column) => {
    const fields = table.rows.map((row) => row[column]!.trim()).filter((field) => field !== '');
    const commas = fields.filter((field) => /^[-+]?\d+,\d+$/.test(field)).length;
    if (2 * commas < fields.length || !haveDecimalCommas(fields)) return [];
    return fields.every((field) => isNumber(field.replace(',', '.'))) ? [column] : [];
  });
  if (columns.length === 0) return table;
  const rows = table.rows.map((row) =>
    row.map((field, column) => (columns.includes(column) ? field.replace(',', '.') : field)),
  );
  return { ...table, rows };
}

/** Layouts of other programs that look like rows, and how to convert them. */
const OTHER_LAYOUTS = [
  {
    layout: /^__label__/,
    fault: 'has labels as fastText writes them (__label__NAME TEXT)',
    hint: (name: string) => `Write a table: sed -E 's/^__label__([^ ]*) /\\1\\t/' ${name} > table.tsv`,
  },
  {
    layout: /^\s*\{\s*("[^"]*"\s*:\s*\{\s*)?"0"\s*:/,
    fault: 'is one JSON object, as pandas writes a table by default',
    hint: (name: string) => `Write rows: table.to_json('${name}', orient='records', lines=True)`,
  },
];

/** Whether a text has a layout of another program, which {@link readTable} refuses with advice. */
export function hasOtherLayout(content: string): boolean {
  return OTHER_LAYOUTS.some(({ layout }) => layout.test(content));
}

function refuseOtherLayout(content: string, where: string): void {
  const found = OTHER_LAYOUTS.find(({ layout }) => layout.test(content));
  if (found) throw new InvalidData({ where, fault: found.fault, hint: found.hint(where) });
}

/** Refuses lines above the names of the columns, such as a title. */
function refuseTitle(records: readonly string[][], where: string): void {
  const start = records.findIndex((record) => record.filter((field) => field.trim() !== '').length > 1);
  if (start < 1 || !looksLikeHeader(records.slice(start))) return;
  const lines = start === 1 ? 'a line' : `${start} lines`;
  throw new InvalidData({
    where,
    fault: `has ${lines} above the names of its columns`,
    hint: 'Delete them.',
  });
}

/** Refuses a header that occurs again, as in joined files. It would be a row, and its label a class. */
function refuseRepeatedHeader(records: readonly string[][], lines: readonly number[], where: string): void {
  const [first, ...others] = records;
  const isRepeated = (record: readonly string[]) =>
    record.length === first!.length && record.every((field, i) => field === first![i]);
  const at = records.findIndex((record, i) => i > 0 && isRepeated(record));
  if (at < 0 || !looksLikeHeader([first!, ...others.filter((record) => !isRepeated(record))])) return;
  const fault = 'repeats the names of the columns';
  throw new InvalidData({ where: `${where}:${lines[at]}`, fault, hint: 'Delete the line.' });
}

function fromLines(content: string, name: string, format: 'csv' | 'tsv', header?: boolean): Table {
  const usual = tableLayout(content, name, { format })!.delimiter;
  const delimiter = findDelimiter(content, name, format);
  const { records, lines } = parseDelimited(content, name, delimiter, delimiter !== '\t');
  const [first] = records;
  refuseRepeatedHeader(records, lines, name);
  const hasHeader = header ?? looksLikeHeader(records);
  if (!hasHeader) refuseTitle(records, name);
  const columns = hasHeader ? first! : first!.map((_, i) => `column ${i + 1}`);
  const candidates = hasHeader ? records.slice(1) : records;
  const rows = candidates.filter(({ length }) => length === first!.length);
  return {
    fileName: name,
    columns: distinct(columns),
    rows,
    hasHeader,
    ragged: candidates.length - rows.length,
    raggedAt: lines[records.findIndex(({ length }) => length !== first!.length)],
    ...(delimiter !== usual && { delimiter }),
  };
}

/** The delimiter of a table. */
export function findDelimiter(content: string, name: string, format: 'csv' | 'tsv'): string {
  return format === 'tsv' ? tabOrOther(content, name) : commaOrOther(firstLine(content));
}

/** The delimiter of a CSV file: the most frequent one in its first line. */
function commaOrOther(line: string): string {
  const count = (delimiter: string) => line.split(delimiter).length;
  return DELIMITERS.reduce((a, b) => (count(b) > count(a) ? b : a));
}

/**
 * The delimiter of a file whose name does not say CSV: a tab, unless another one splits a header and all rows into the
 * same number of fields.
 */
function tabOrOther(content: string, name: string): string {
  const line = firstLine(content);
  if (line.includes('\t')) return '\t';
  const other = DELIMITERS.find((delimiter) => {
    if (!line.includes(delimiter)) return false;
    try {
      const { records } = parseDelimited(content, name, delimiter, true);
      const width = records[0]!.length;
      return width > 1 && records.every(({ length }) => length === width) && looksLikeHeader(records);
    } catch (error) {
      // Plain text may have open quotes.
      if (error instanceof UserError) return false;
      throw error;
    }
  });
  return other ?? '\t';
}

function fromJson(content: string, name: string): Table {
  const problems = new RowProblems(name);
  const objects = [...jsonLines(content, problems)].map(({ object }) => object);
  problems.throwIfAny();
  const [only, ...others] = objects;
  const values = Object.values(only ?? {});
  if (others.length === 0 && values.length > 1 && values.every((one) => typeof one === 'object' && one)) {
    const hint = 'Write an object for each row: [{"text": "…", "label": "…"}, …]';
    throw new InvalidData({
      where: name,
      fault: 'is one JSON object, with its rows or columns by name',
      hint,
    });
  }
  const columns = [...new Set(objects.slice(0, 100).flatMap((object) => Object.keys(object)))];
  const nested = new Map<string, 'list' | 'object'>();
  const fieldOf = (column: string, value: unknown): string => {
    if (isScalar(value)) return String(value);
    if (typeof value !== 'object' || value === null) return '';
    // A reader names the row whose list has a null.
    const isList = Array.isArray(value) && value.every((one) => one === null || isScalar(one));
    if (nested.get(column) !== 'object') nested.set(column, isList ? 'list' : 'object');
    return isList ? value.join(LIST_SEPARATOR) : '';
  };
  const rows = objects.map((object) => columns.map((column) => fieldOf(column, ownValue(object, column))));
  return { fileName: name, columns, rows, ragged: 0, nested };
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/**
 * Joins several columns of 0 and 1 into one with the names of the columns that have 1: a list, or one name if each row has
 * exactly one.
 *
 * @param isOther whether a column's name says that it has labels or another meaning
 */
export function joinFlags(table: Table, isOther: (name: string) => boolean): Table {
  const { columns, rows } = table;
  const at = columns.flatMap((name, i) => {
    const values = rows.map((row) => row[i]!);
    return !isOther(name) && new Set(values).size > 1 && areFlags(values) ? [i] : [];
  });
  if (at.length < 2 || columns.some((name, i) => !at.includes(i) && isOther(name))) return table;
  const names = at.map((i) => columns[i]!);
  const name = names.join(', ');
  const listed = rows.map((row) =>
    names.filter((_, i) => Number(row[at[i]!]) === 1 || /t/i.test(row[at[i]!]!)),
  );
  const isOne = listed.every(({ length }) => length === 1);
  return {
    ...table,
    columns: [...columns.filter((_, i) => !at.includes(i)), name],
    rows: rows.map((row, r) => [...row.filter((_, i) => !at.includes(i)), listed[r]!.join(LIST_SEPARATOR)]),
    nested: new Map([...(table.nested ?? []), ...(isOne ? [] : [[name, 'list'] as const])]),
    joined: new Map([[name, names]]),
  };
}

/** Makes column names unique, and names unnamed columns. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((header, i) => {
    const name = header.trim() || `column ${i + 1}`;
    const unique = taken.has(name) ? `${name} (column ${i + 1})` : name;
    taken.add(unique);
    return unique;
  });
}
