import { parseRows } from '../parse-rows.ts';
import type { DataOptions, Row } from '../rows.ts';
import { textFile } from './text-files.ts';

/**
 * Reads the rows of a TSV, CSV or JSON Lines file in UTF-8.
 *
 * @throws UserError for a file that is missing, too large or not UTF-8, and like `parseRows` for bad rows
 */
export function readRows(path: string, options: DataOptions): Row[] {
  return parseRows(textFile(path).read(), path, options);
}
