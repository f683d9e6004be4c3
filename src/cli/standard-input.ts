import { parseRows } from '../data/parse-rows.ts';
import type { Row } from '../data/row.ts';
import { UserError } from '../support/user-error.ts';
import { type Columns, jsonKeys } from './use-columns.ts';

const NAME = 'standard input';
/** V8 holds no longer string than 2^29 - 24 characters. */
const MAX_BYTES = 2 ** 29 - 24;

/**
 * Rows from standard input: JSON Lines where it begins with `{`, a table with the given columns where its first line
 * has a tab, else one text a line. Blank lines are no rows.
 */
export function rowsFromInput(content: string, columns: Columns): Row[] {
  const body = content.replace(/^\ufeff/, '');
  if (/^\s*\{/.test(body)) return parseRows(body, NAME, { ...jsonKeys(columns), format: 'jsonl' });
  const [first] = body.split('\n', 1);
  if (first.includes('\t')) return parseRows(body, NAME, { ...columns, format: 'tsv' });
  if (columns.text_pair !== undefined) {
    throw new UserError({
      where: NAME,
      expected: 'pairs of texts, separated by tabs or as JSON lines',
      got: body.trim() === '' ? 'nothing' : 'lines of one text',
    });
  }
  return parseRows(body, NAME, { task: columns.task, text: 0, header: false, quote: false, format: 'tsv' });
}

/** Everything from standard input, as UTF-8. */
export async function readInput(): Promise<string> {
  if (process.stdin.isTTY) console.error('Type one text a line; Ctrl-D ends.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= MAX_BYTES) continue;
    const hint = 'Split it, or give a file for each part.';
    throw new UserError({ where: NAME, expected: `at most ${MAX_BYTES} bytes`, got: 'more', hint });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new UserError({ where: NAME, expected: 'text in UTF-8', got: 'other bytes' });
  }
}
