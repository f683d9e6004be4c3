import { isNumber } from './is-number.ts';

/** So many rows show what a column holds. */
const LOOKED_AT = 1000;

/**
 * Whether the first record of a table names its columns: no field of it is empty or a number, and none comes again below,
 * as a label would.
 */
export function looksLikeHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...others] = records.slice(0, LOOKED_AT);
  if (first.some((name) => name.trim() === '' || isNumber(name))) return false;
  return !first.some((name, column) => others.some((record) => record[column] === name));
}
