import { detectFormat } from '../data/detect-format.ts';
import { readRows } from '../data/node/read-rows.ts';
import type { Row } from '../data/row.ts';
import { type Columns, jsonKeys } from './use-columns.ts';

/** Rows of a TSV, CSV or JSON Lines file. Throws a UserError as {@link readRows} does. */
export function rowsFromFile(path: string, columns: Columns): Row[] {
  return readRows(path, detectFormat(path, '') === 'jsonl' ? jsonKeys(columns) : columns);
}
