import { isNumber } from './is-number.ts';

/** Number of records that are examined, enough to know what a column contains. */
const LOOKED_AT = 1000;

/**
 * Whether the first record of a table is a header: its fields are not empty, not numbers, and do not occur in
 * later records, as labels would.
 */
export function looksLikeHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...others] = records.slice(0, LOOKED_AT);
  if (first!.some((name) => name.trim() === '' || isNumber(name))) return false;
  return !first!.some((name, column) => others.some((record) => record[column] === name));
}
