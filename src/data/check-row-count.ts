import { UserError } from '../support/user-error.ts';

/** Each takes some hundred bytes however short it is: of these a gigabyte. */
const MAX_ROWS = 2_000_000;

/** Throws a UserError for a file of more rows than memory holds; of words, of more lines. */
export function checkRowCount(rows: number, fileName: string): void {
  if (rows <= MAX_ROWS) return;
  const hint = 'Split the file, or train on a part of it.';
  throw new UserError({ where: fileName, expected: `at most ${MAX_ROWS} rows`, got: 'more', hint });
}
