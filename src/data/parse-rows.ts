import { detectFormat } from './detect-format.ts';
import { parseDelimited } from './parse-delimited.ts';
import { parseJsonl } from './parse-jsonl.ts';
import type { DataOptions, Row } from './row.ts';
import { rowsFromTable } from './rows-from-table.ts';

const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads rows from the content of a TSV, CSV or JSON Lines file. A byte-order mark, CRLF line ends and blank lines are
 * accepted. `fileName` decides the format (see `detectFormat`) and stands in messages.
 *
 * @throws UserError with file and line for everything that is wrong with the rows, several at once.
 */
export function parseRows(content: string, fileName: string, options: DataOptions): Row[] {
  const body = content.startsWith(BYTE_ORDER_MARK) ? content.slice(1) : content;
  const format = options.format ?? detectFormat(fileName, body);
  if (format === 'jsonl') return parseJsonl(body, fileName, options);
  const quote = options.quote ?? format === 'csv';
  const table = parseDelimited(body, fileName, format === 'csv' ? ',' : '\t', quote);
  return rowsFromTable(table, fileName, options, quote);
}
