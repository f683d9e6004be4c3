import { isNumber } from '../is-number.ts';
import type { Table } from './read-table.ts';

/** Statistics of a column. */
export interface Column {
  name: string;
  /** Number of different values, without the empty one. */
  distinct: number;
  /** Average number of characters in a field. */
  length: number;
  /** Whether most fields contain a letter. */
  hasWords: boolean;
  /** Whether all fields are numbers. */
  isNumeric: boolean;
}

/** Statistics of each column of a table. */
export function describeColumns({ columns, rows }: Table): Column[] {
  return columns.map((name, i) => {
    const fields = rows.map((row) => row[i]!.trim()).filter((field) => field !== '');
    const characters = fields.reduce((sum, { length }) => sum + length, 0);
    const worded = fields.filter((field) => /\p{L}/u.test(field)).length;
    return {
      name,
      distinct: new Set(fields).size,
      length: fields.length > 0 ? characters / fields.length : 0,
      hasWords: fields.length > 0 && 2 * worded >= fields.length,
      isNumeric: fields.length > 0 && fields.every(isNumber),
    };
  });
}
