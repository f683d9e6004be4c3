import { decodeText } from '../../src/data/decode-text.ts';
import { detectFormat, firstLine } from '../../src/data/detect-format.ts';
import { jsonLines, own } from '../../src/data/json-lines.ts';
import { looksLikeHeader } from '../../src/data/looks-like-header.ts';
import { isGzip, isParquet } from '../../src/data/magic-bytes.ts';
import { parseDelimited } from '../../src/data/parse-delimited.ts';
import { RowProblems } from '../../src/data/row-problems.ts';
import { UserError } from '../../src/support/user-error.ts';
import { gunzip } from './gunzip.ts';
import { unpackParquet } from './unpack-parquet.ts';

/** Rows of a file, every one with a field for each column. */
export interface Table {
  fileName: string;
  columns: string[];
  rows: string[][];
  /** Whether the first line named the columns; undefined for JSON, which names them in every row. */
  hasHeader?: boolean;
  /** Rows that had more fields or fewer. */
  ragged: number;
}

/** A table takes some ten times its bytes while it is read, and a page should not take a gigabyte. */
const MAX_BYTES = 50e6;

/**
 * Reads a CSV, TSV or JSON Lines file of the user's, which may be packed by gzip, or parquet.
 *
 * @param header whether the first line names the columns; by default by its look
 * @throws UserError for a file that is empty, too large, no text, or has no rows
 */
export async function readTable(file: File, header?: boolean): Promise<Table> {
  const { name, size } = file;
  if (size > MAX_BYTES) throw tooLarge(name, `${Math.round(size / 1e6)} MB`);
  const packed = new Uint8Array(await file.arrayBuffer());
  const bytes = isGzip(packed) ? await gunzip(packed, name, MAX_BYTES) : packed;
  if (!bytes) throw tooLarge(name, 'more when unpacked');
  if (isParquet(bytes)) {
    const lines = await unpackParquet(bytes, name);
    if (lines.length > MAX_BYTES) throw tooLarge(name, 'more when unpacked');
    return withRows(fromJson(lines, name));
  }
  if (bytes.includes(0)) throw binary(name, bytes);
  const content = decodeText(bytes, name);
  if (content.trim() === '') throw new UserError({ where: name, expected: 'rows', got: 'an empty file' });
  const format = detectFormat(name, content);
  return withRows(format === 'jsonl' ? fromJson(content, name) : fromLines(content, name, format, header));
}

function withRows(table: Table): Table {
  if (table.rows.length > 0) return table;
  throw new UserError({ where: table.fileName, expected: 'rows', got: 'only a header' });
}

function tooLarge(where: string, got: string): UserError {
  const hint = 'Take a part of it, or train with the command: npx adalora train.';
  return new UserError({ where, expected: `at most ${MAX_BYTES / 1e6} MB in a page`, got, hint });
}

function fromLines(content: string, name: string, format: 'csv' | 'tsv', header?: boolean): Table {
  const delimiter = format === 'tsv' ? '\t' : commaOf(firstLine(content));
  const { records } = parseDelimited(content, name, delimiter, format === 'csv');
  const [first] = records;
  const hasHeader = header ?? looksLikeHeader(records);
  const columns = hasHeader ? first : first.map((_, i) => `column ${i + 1}`);
  const candidates = hasHeader ? records.slice(1) : records;
  const rows = candidates.filter(({ length }) => length === first.length);
  return {
    fileName: name,
    columns: distinct(columns),
    rows,
    hasHeader,
    ragged: candidates.length - rows.length,
  };
}

/** A spreadsheet writes semicolons where people write decimals with a comma. */
function commaOf(line: string): string {
  const count = (comma: string) => line.split(comma).length;
  return count(';') > count(',') ? ';' : ',';
}

function fromJson(content: string, name: string): Table {
  const problems = new RowProblems(name);
  const objects = [...jsonLines(content, problems)].map(({ object }) => object);
  problems.throwIfAny();
  const columns = [...new Set(objects.slice(0, 100).flatMap((object) => Object.keys(object)))];
  const rows = objects.map((object) => columns.map((column) => fieldOf(own(object, column))));
  return { fileName: name, columns, rows, ragged: 0 };
}

function fieldOf(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
}

/** Names of columns, none of them empty or twice. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((given, i) => {
    const name = given.trim() || `column ${i + 1}`;
    const unique = taken.has(name) ? `${name} (column ${i + 1})` : name;
    taken.add(unique);
    return unique;
  });
}

function binary(where: string, bytes: Uint8Array): UserError {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const hint = isZip ? 'Of a spreadsheet, save the sheet as CSV; of an archive, unpack it.' : undefined;
  return new UserError({ where, expected: 'CSV, TSV, JSON Lines or parquet', got: 'a binary file', hint });
}
