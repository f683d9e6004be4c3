import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { nearest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { parseRows } from '../parse-rows.ts';
import type { DataOptions, Row } from '../row.ts';

/** V8 holds no longer string than 2^29 - 24 characters. */
const MAX_FILE_BYTES = 2 ** 29 - 24;

/**
 * Reads the rows of a TSV, CSV or JSON Lines file in UTF-8.
 *
 * @throws UserError for a file that is missing, too large or not UTF-8, and for bad rows as `parseRows` does.
 */
export function readRows(path: string, options: DataOptions): Row[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw missing(path);
  if (!stats.isFile()) throw new UserError({ where: path, expected: 'a file', got: 'a folder' });
  if (stats.size > MAX_FILE_BYTES) {
    const hint = 'Split the file.';
    throw new UserError({
      where: path,
      expected: `at most ${MAX_FILE_BYTES} bytes`,
      got: `${stats.size}`,
      hint,
    });
  }
  return parseRows(decode(readFileSync(path), path), path, options);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const hint = 'Convert it, for example with iconv -t utf-8.';
    throw new UserError({ where: path, expected: 'text in UTF-8', got: 'other bytes', hint });
  }
}

function missing(path: string): UserError {
  let siblings: string[] = [];
  try {
    siblings = readdirSync(dirname(path));
  } catch {
    return new UserError({ where: path, expected: 'a file', got: `no folder ${dirname(path)}` });
  }
  const near = nearest(basename(path), siblings);
  const hint = near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined;
  return new UserError({ where: path, expected: 'a file', got: 'nothing', hint });
}
