import { isNumber } from './is-number.ts';

/** Number of records that are examined, enough to know what a column contains. */
const LOOKED_AT = 1000;

/**
 * Whether the first record of a table is a header: its fields are not empty, not numbers, and do not occur in
 * later records, as labels would. A last column without any content does not count.
 */
export function looksLikeHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...others] = records.slice(0, LOOKED_AT);
  const last = first!.length - 1;
  // Some programs end each row with a delimiter.
  const isEmptyLast = last > 0 && [first!, ...others].every((record) => record[last] === '');
  const names = isEmptyLast ? first!.slice(0, last) : first!;
  if (names.some((name) => name.trim() === '' || isNumber(name))) return false;
  return !names.some((name, column) => others.some((record) => record[column] === name));
}
