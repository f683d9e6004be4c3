import { UserError } from '../../support/user-error.ts';
import { detectFormat, firstLine } from '../detect-format.ts';
import { jsonLines, ownValue } from '../json-lines.ts';
import { looksLikeHeader } from '../looks-like-header.ts';
import { parseDelimited } from '../parse-delimited.ts';
import type { FileFormat } from '../row.ts';
import { RowProblems } from '../row-problems.ts';

/** Rows of a file, each with a field for every column. */
export interface Table {
  fileName: string;
  columns: string[];
  rows: string[][];
  /** Whether the first line names the columns; undefined for JSON. */
  hasHeader?: boolean;
  /** Number of rows with too many or too few fields. */
  ragged: number;
  /** Separator of fields; undefined for JSON. */
  delimiter?: string;
}

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
  if (content.trim() === '') throw new UserError({ where: name, fault: 'is empty' });
  const table = format === 'jsonl' ? fromJson(content, name) : fromLines(content, name, format, header);
  if (table.rows.length > 0) return table;
  const width = table.columns.length;
  const fault = `has ${width} ${width === 1 ? 'field' : 'fields'} in its first line, and another number in every other line`;
  throw new UserError({ where: name, fault: table.ragged > 0 ? fault : 'has a header and no rows' });
}

function fromLines(content: string, name: string, format: 'csv' | 'tsv', header?: boolean): Table {
  const delimiter = format === 'tsv' ? '\t' : commaOf(firstLine(content));
  const { records } = parseDelimited(content, name, delimiter, format === 'csv');
  const [first] = records;
  const hasHeader = header ?? looksLikeHeader(records);
  const columns = hasHeader ? first! : first!.map((_, i) => `column ${i + 1}`);
  const candidates = hasHeader ? records.slice(1) : records;
  const rows = candidates.filter(({ length }) => length === first!.length);
  return {
    fileName: name,
    columns: distinct(columns),
    rows,
    hasHeader,
    ragged: candidates.length - rows.length,
    delimiter,
  };
}

/** The delimiter of a CSV file. In locales with a decimal comma, spreadsheets write semicolons. */
function commaOf(line: string): string {
  const count = (comma: string) => line.split(comma).length;
  return count(';') > count(',') ? ';' : ',';
}

function fromJson(content: string, name: string): Table {
  const problems = new RowProblems(name);
  const objects = [...jsonLines(content, problems)].map(({ object }) => object);
  problems.throwIfAny();
  const columns = [...new Set(objects.slice(0, 100).flatMap((object) => Object.keys(object)))];
  const rows = objects.map((object) => columns.map((column) => fieldOf(ownValue(object, column))));
  return { fileName: name, columns, rows, ragged: 0 };
}

function fieldOf(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
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
