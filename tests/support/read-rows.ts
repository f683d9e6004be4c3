import { textFile } from '../../src/input/data/node/text-files.ts';
import { parseRows } from '../../src/input/data/parse-rows.ts';
import type { DataOptions, Row } from '../../src/input/data/rows.ts';

/**
 * Reads the rows of a TSV, CSV or JSON Lines file in UTF-8.
 *
 * @throws UserError for a file that is missing, too large or not UTF-8, and like `parseRows` for bad rows
 */
export function readRows(path: string, options: DataOptions): Row[] {
  return parseRows(textFile(path).read(), path, options);
}
