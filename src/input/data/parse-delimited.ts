// The package's default build needs Node's global Buffer, so the browser build is used.
import { CsvError, parse } from 'csv-parse/browser/esm/sync';
import { InvalidData, type UserError } from '../../support/user-error.ts';
import { checkRowCount } from './rows.ts';

/** Maximum fields of a record. A field is an object, which can be tens of times larger than its text. */
export const MAX_FIELDS = 10_000;
/** Maximum characters of a record, as for a JSON line. Even a book has only a few million. */
const MAX_RECORD = 2 ** 24;
/** Maximum fields of a table. A field takes some forty bytes. */
const MAX_TABLE_FIELDS = 12_000_000;
const encoder = new TextEncoder();
const [NEWLINE, RETURN] = [10, 13];
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
  // Encoded here, because the parser's own conversion of a string is five times slower.
  const bytes = encoder.encode(content);
  let [at, line, fields] = [0, 1, 0];
  /** The line of the next record, behind blank lines. The parser's own count is wrong for quoted CRLF. */
  const nextLine = () => {
    for (;;) {
      const end = bytes[at] === RETURN ? at + 1 : at;
      if (bytes[end] !== NEWLINE) return line;
      at = end + 1;
      line++;
    }
  };
  try {
    parse(bytes, {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MAX_RECORD,
      on_record(record: string[], info) {
        const start = nextLine();
        fields += record.length;
        if (record.length > MAX_FIELDS) throw tooMany(MAX_FIELDS, 'fields', fileName, start);
        if (fields > MAX_TABLE_FIELDS) throw tooMany(MAX_TABLE_FIELDS, 'fields in all rows', fileName, start);
        // Copied, because the parser's own arrays are over-allocated.
        table.records.push([...record]);
        table.lines.push(start);
        checkRowCount(table.lines.length, fileName);
        while (at < info.bytes) if (bytes[at++] === NEWLINE) line++;
        return null;
      },
    });
    return table;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const start = nextLine();
    if (error.code === 'CSV_MAX_RECORD_SIZE')
      throw tooMany(
        MAX_RECORD,
        'characters in a row',
        fileName,
        start,
        `A quote that opens here may be left open. ${QUOTE_HINT}`,
      );
    const unclosed = error.code === 'CSV_QUOTE_NOT_CLOSED';
    throw new InvalidData({
      where: `${fileName}:${start}`,
      fault: unclosed ? 'opens a quote that is never closed' : 'has a quote in the middle of a field',
      hint: QUOTE_HINT,
    });
  }
}

function tooMany(limit: number, what: string, fileName: string, line: number, hint?: string): UserError {
  return new InvalidData({ where: `${fileName}:${line}`, fault: `has more than ${limit} ${what}`, hint });
}
