// The build for browsers: the package's default one needs Node's global Buffer.
import { parse } from 'csv-parse/browser/esm/sync';
import { UserError } from '../support/user-error.ts';
import { checkRowCount } from './check-row-count.ts';

/** Each becomes an object of its own, tens of times the delimiter's byte. */
const MAX_FIELDS = 10_000;
/** As of a line of JSON: a book has some megabytes. */
const MAX_RECORD = 2 ** 24;
/** Of all records together, at some forty bytes each. */
const MAX_TABLE_FIELDS = 12_000_000;
const QUOTE_HINT =
  'Double the quotes inside a quoted field, or set data.quote: false if quotes are plain characters here.';

/** The records of a delimited file with the line on which each starts, from 1. Blank lines are no records. */
export interface Table {
  records: string[][];
  lines: number[];
}

/**
 * Splits delimited text into records of any width. Without quoting a double quote is a character like any other and a
 * record is a line; with quoting, fields follow RFC 4180 and may hold delimiters, line ends and doubled quotes.
 *
 * @throws UserError with file and line for a quote that is never closed or stands in the middle of a field, and for more records
 * or fields than memory holds
 */
export function parseDelimited(content: string, fileName: string, delimiter: string, quote: boolean): Table {
  return quote ? parseQuoted(content, fileName, delimiter) : splitLines(content, fileName, delimiter);
}

function splitLines(content: string, fileName: string, delimiter: string): Table {
  const table: Table = { records: [], lines: [] };
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

function parseQuoted(content: string, fileName: string, delimiter: string): Table {
  checkSizes(content, fileName, delimiter);
  const lines: number[] = [];
  // The parser's own count of lines takes CRLF inside quotes for two.
  let taken = 0;
  const nextLine = (blankLines: number) => taken + blankLines + 1;
  try {
    const records: string[][] = parse(content, {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (record: string[], context) => {
        lines.push(nextLine(context.empty_lines));
        checkRowCount(lines.length, fileName);
        taken += 1 + newlinesIn(record);
        return record;
      },
    });
    return { records, lines };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, empty_lines = 0 } = error as { code?: string; empty_lines?: number };
    if (code === undefined) throw error;
    const unclosed = code === 'CSV_QUOTE_NOT_CLOSED';
    throw new UserError({
      where: `${fileName}:${nextLine(empty_lines)}`,
      expected: unclosed ? 'every quoted field to be closed' : 'double quotes around whole fields only',
      got: unclosed ? 'a quote open until the end of the file' : 'a quote in the middle of a field',
      hint: QUOTE_HINT,
    });
  }
}

/** The parser makes whole records before anybody sees them: their sizes are looked at first, as it would part them. */
function checkSizes(content: string, fileName: string, delimiter: string): void {
  let [line, fields, isQuoted, all, rows] = [1, 1, false, 0, 0];
  let [start, quoteLine] = [0, 1];
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
        if (!isBlank) checkRowCount(++rows, fileName);
        [fields, start] = [1, at + 1];
        if (all > MAX_TABLE_FIELDS) throw tooMany(MAX_TABLE_FIELDS, 'fields in all rows', fileName, line - 1);
      }
    } else if (character === delimiter && !isQuoted && ++fields > MAX_FIELDS)
      throw tooMany(MAX_FIELDS, 'fields', fileName, line);
    if (at - start < MAX_RECORD) continue;
    const hint = isQuoted ? `A quote that opens here may be left open. ${QUOTE_HINT}` : undefined;
    throw tooMany(MAX_RECORD, 'characters in a row', fileName, isQuoted ? quoteLine : line, hint);
  }
}

function tooMany(limit: number, what: string, fileName: string, line: number, hint?: string): UserError {
  return new UserError({
    where: `${fileName}:${line}`,
    expected: `at most ${limit} ${what}`,
    got: 'more',
    hint,
  });
}

function newlinesIn(record: string[]): number {
  let count = 0;
  for (const field of record) {
    for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) count++;
  }
  return count;
}
