import { suggestAmong } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { type DataParts, findPartNames, parseSlice, type RowSlice } from '../data-parts.ts';
import { detectFormat } from '../detect-format.ts';
import { jsonLines, ownValue } from '../json-lines.ts';
import { parseDelimited } from '../parse-delimited.ts';
import { RowProblems, readFlag } from '../rows.ts';
import { findDelimiter, type Table } from './read-table.ts';

/** Columns that may divide a file into rows for training, validation and a test. */
const SPLIT_NAME = /^(data)?_?(split|set|subset|partition)$/i;

/** A column of flags that says which rows are in one part, such as `is_test`. */
const FLAG_NAME = /^is_?(train|valid|val|test)(?:ing|ation)?$/i;

/** The values of a column of flags for a part and for the other rows. */
function flaggedParts(part: string, values: readonly string[]): Partial<DataParts> {
  const named = findPartNames([part, 'train']);
  const on = values.find((value) => readFlag(value) === true);
  const off = values.find((value) => readFlag(value) === false);
  if (values.length !== 2 || on === undefined || off === undefined) return {};
  if (/^train/i.test(part)) return { train: on, test: off };
  return { train: off, ...(named.test === undefined ? { validation: on } : { test: on }) };
}

/**
 * Finds the column that divides the rows of a table, and the slices for training, validation and the test.
 *
 * @param path the file, or the folder of the files that it lists
 */
function findSplits(
  { columns, rows }: Table,
  path: string,
): { column: number; parts: DataParts } | undefined {
  for (const [column, name] of columns.entries()) {
    const [, part] = FLAG_NAME.exec(name) ?? [];
    if (!SPLIT_NAME.test(name) && part === undefined) continue;
    const values = [...new Set(rows.map((row) => row[column]!.trim()))];
    const { train, ...others } = part === undefined ? findPartNames(values) : flaggedParts(part, values);
    if (train === undefined || Object.keys(others).length === 0) continue;
    const slice = (value: string) => `${path}#${name}=${value}`;
    const { validation, test } = others;
    const parts = {
      train: slice(train),
      ...(validation !== undefined && { validation: slice(validation) }),
      ...(test !== undefined && { test: slice(test) }),
    };
    return { column, parts };
  }
  return undefined;
}

/** The training rows of a table. If a column divides the rows, also the slices and a sentence about them. */
export function trainingRows(
  table: Table,
  path: string,
): { table: Table; parts?: DataParts; notice?: string } {
  const splits = findSplits(table, path);
  if (!splits) return { table };
  const { column, parts } = splits;
  const rowsOf = (part: string) => {
    const { value } = parseSlice(part)!;
    return { value, rows: table.rows.filter((row) => row[column]!.trim() === value) };
  };
  const counts = Object.values<string>({ ...parts }).map((part) => {
    const { value, rows } = rowsOf(part);
    return `${value} ${rows.length}`;
  });
  const values = new Set(Object.values<string>({ ...parts }).map((part) => parseSlice(part)!.value));
  const others = table.rows.filter((row) => !values.has(row[column]!.trim())).length;
  const unused = others === 0 ? [] : [`${others} are not used`];
  const notice = `Column "${table.columns[column]}" divides the rows: ${[...counts, ...unused].join(', ')}.`;
  return { table: { ...table, rows: rowsOf(parts.train).rows }, parts, notice };
}

/**
 * Blanks all rows of a file without a slice's value. The other rows keep their lines.
 *
 * @throws UserError for a table without the column, and for broken quotes
 */
export function pickRows(content: string, name: string, { column, value }: RowSlice): string {
  const format = detectFormat(name, content);
  if (format === 'jsonl') {
    const kept: string[] = [];
    let done = 0;
    // A reader of the rows reports their problems.
    for (const { offset, end, object } of jsonLines(content, new RowProblems(name))) {
      if (ownValue(object, column) === value) continue;
      kept.push(content.slice(done, offset), content.slice(offset, end).replace(/[^\n]/g, ''));
      done = end;
    }
    return kept.join('') + content.slice(done);
  }
  const delimiter = findDelimiter(content, name, format);
  const { records, lines } = parseDelimited(content, name, delimiter, delimiter !== '\t');
  const names = records[0]?.map((name) => name.trim()) ?? [];
  const at = names.indexOf(column);
  if (at < 0) {
    const hint = suggestAmong(column, names, "The file's columns");
    throw new UserError({ where: name, fault: `has no column "${column}"`, hint, code: 'unknown_column' });
  }
  const all = content.split('\n');
  for (let i = 1; i < records.length; i++) {
    if (records[i]![at]?.trim() === value) continue;
    all.fill('', lines[i]! - 1, (lines[i + 1] ?? all.length + 1) - 1);
  }
  return all.join('\n');
}
