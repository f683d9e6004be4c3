// The package's default build needs Node's global Buffer, so the browser build is used.
import { parse } from 'csv-parse/browser/esm/sync';
import { InvalidData, type UserError } from '../../support/user-error.ts';
import { checkRowCount } from './rows.ts';

/** Maximum fields of a record. A field is an object, which can be tens of times larger than its text. */
export const MAX_FIELDS = 10_000;
/** Maximum characters of a record, as for a JSON line. Even a book has only a few million. */
const MAX_RECORD = 2 ** 24;
/** Maximum fields of a table. A field takes some forty bytes. */
const MAX_TABLE_FIELDS = 12_000_000;
/** Approximate number of characters in a block. */
const BLOCK = 2 ** 20;
const encoder = new TextEncoder();
const QUOTE_HINT =
  'Double the quotes inside a quoted field, or set data.quote: false if quotes are plain characters here.';

/** The records of a delimited file, and the line on which each starts (from 1). Blank lines are skipped. */
export interface DelimitedTable {
  records: string[][];
  lines: number[];
}

/**
 * Splits delimited text into records with any number of fields. Without `quote`, a double quote is an
 * ordinary character and a record is a line. With `quote`, fields follow RFC 4180 and may contain delimiters,
 * line ends and doubled quotes. A delimiter at the end of every row but the
 * first starts no field.
 *
 * @throws UserError with file and line for an unclosed quote, a quote in the middle of a field, and for more
 * records or fields than fit in memory
 */
export function parseDelimited(
  content: string,
  fileName: string,
  delimiter: string,
  quote: boolean,
): DelimitedTable {
  const table = quote ? parseQuoted(content, fileName, delimiter) : splitLines(content, fileName, delimiter);
  dropEmptyLast(table.records);
  return table;
}

/** Drops an empty last field that all records have except the first. Some programs end each row with a delimiter. */
function dropEmptyLast(records: string[][]): void {
  const width = records[0]?.length ?? 0;
  const others = records.slice(1);
  if (others.every((record) => record.length === width + 1 && record[width] === ''))
    for (const record of others) record.pop();
}

function splitLines(content: string, fileName: string, delimiter: string): DelimitedTable {
  const table: DelimitedTable = { records: [], lines: [] };
  let line = 0;
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf('\n', start);
    const next = newline < 0 ? content.length : newline;
    const end = next > start && content[next - 1] === '\r' ? next - 1 : next;
    line++;
    if (end > start) {
      const fields = content.slice(start, end).split(delimiter, MAX_FIELDS + 1);
      if (fields.length > MAX_FIELDS) throw tooMany(MAX_FIELDS, 'fields', fileName, line);
      table.records.push(fields);
      table.lines.push(line);
      checkRowCount(table.lines.length, fileName);
    }
    start = next + 1;
  }
  return table;
}

function parseQuoted(content: string, fileName: string, delimiter: string): DelimitedTable {
  const table: DelimitedTable = { records: [], lines: [] };
  for (const { text, lines } of splitBlocks(content, fileName, delimiter)) {
    // Copied, because the parser's own arrays are over-allocated.
    for (const record of splitRecords(text, lines, fileName, delimiter)) table.records.push([...record]);
    for (const line of lines) table.lines.push(line);
  }
  return table;
}

function splitRecords(
  text: string,
  lines: readonly number[],
  fileName: string,
  delimiter: string,
): string[][] {
  try {
    // Encoded here, because the parser's own conversion of a string is five times slower.
    return parse(encoder.encode(text), {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
    });
  } catch (error) {
    const { code, records } = error as { code?: string; records: number };
    if (code === undefined) throw error;
    const unclosed = code === 'CSV_QUOTE_NOT_CLOSED';
    throw new InvalidData({
      where: `${fileName}:${lines[records]}`,
      fault: unclosed ? 'opens a quote that is never closed' : 'has a quote in the middle of a field',
      hint: QUOTE_HINT,
    });
  }
}

/** Whole records to parse together, and the line of each record. */
interface Block {
  text: string;
  lines: number[];
}

/**
 * Splits a file into blocks, because the parser needs many times the memory of its input. Record ends are
 * found in the same way as in the parser. Oversized records are rejected before parsing.
 */
function* splitBlocks(content: string, fileName: string, delimiter: string): Iterable<Block> {
  let [line, fields, isQuoted, all, rows] = [1, 1, false, 0, 0];
  let [blockStart, start, startLine, quoteLine] = [0, 0, 1, 1];
  let lines: number[] = [];
  for (let at = 0; at < content.length; at++) {
    const character = content[at];
    if (character === '"') {
      isQuoted = !isQuoted;
      quoteLine = line;
    } else if (character === '\n') {
      line++;
      if (!isQuoted) {
        all += fields;
        const isBlank = at === start || (at === start + 1 && content[start] === '\r');
        if (!isBlank) {
          lines.push(startLine);
          checkRowCount(++rows, fileName);
        }
        [fields, start, startLine] = [1, at + 1, line];
        if (all > MAX_TABLE_FIELDS) throw tooMany(MAX_TABLE_FIELDS, 'fields in all rows', fileName, line - 1);
        if (start - blockStart >= BLOCK) {
          yield { text: content.slice(blockStart, start), lines };
          [blockStart, lines] = [start, []];
        }
      }
    } else if (character === delimiter && !isQuoted && ++fields > MAX_FIELDS)
      throw tooMany(MAX_FIELDS, 'fields', fileName, line);
    if (at - start < MAX_RECORD) continue;
    const hint = isQuoted ? `A quote that opens here may be left open. ${QUOTE_HINT}` : undefined;
    throw tooMany(MAX_RECORD, 'characters in a row', fileName, isQuoted ? quoteLine : line, hint);
  }
  if (start < content.length) lines.push(startLine);
  if (blockStart < content.length) yield { text: content.slice(blockStart), lines };
}

function tooMany(limit: number, what: string, fileName: string, line: number, hint?: string): UserError {
  return new InvalidData({ where: `${fileName}:${line}`, fault: `has more than ${limit} ${what}`, hint });
}
