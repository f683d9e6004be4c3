import { UserError } from '../support/user-error.ts';

/** Even a short row takes several hundred bytes, so 2 million rows take about a gigabyte. */
const MAX_ROWS = 2_000_000;

/** Throws a UserError for a file with more rows (or lines, in files with one word per line) than fit in memory. */
export function checkRowCount(rows: number, fileName: string): void {
  if (rows <= MAX_ROWS) return;
  const hint = 'Split the file, or train on a part of it.';
  throw new UserError({ where: fileName, fault: `has more than ${MAX_ROWS} rows`, hint });
}
