import { isNumber } from '../is-number.ts';
import type { Table } from './read-table.ts';

/** What is in a column. */
export interface Column {
  name: string;
  /** Different values; empty fields are none. */
  distinct: number;
  /** Characters of a field, on average. */
  length: number;
  /** Whether most fields have a letter. */
  hasWords: boolean;
  /** Whether all fields are numbers. */
  isNumeric: boolean;
}

/** What is in each column of a table. */
export function describeColumns({ columns, rows }: Table): Column[] {
  return columns.map((name, i) => {
    const fields = rows.map((row) => row[i].trim()).filter((field) => field !== '');
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
