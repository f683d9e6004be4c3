import { UserError } from '../../support/user-error.ts';
import type { TextFile } from './text-file.ts';

/** Rows from a program, as objects like those in JSON Lines. */
export type Rows = readonly object[];

/** Rows from a program: a list, or an async iterable that is read in order. */
export type RowSource = Rows | AsyncIterable<object>;

export function isAsyncRows(value: unknown): value is AsyncIterable<object> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Whether a value is a list of rows, as opposed to file names. */
export function isRows(value: unknown): value is Rows {
  return Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null);
}

/**
 * Converts rows to JSON Lines.
 *
 * @param where the rows' name in messages
 * @throws UserError for values that JSON cannot contain, such as a BigInt
 */
export function rowsText(rows: Rows, where: string): string {
  return rows.map((row, i) => `${jsonOf(row, `${where}, row ${i + 1}`)}\n`).join('');
}

function jsonOf(row: object, where: string): string {
  try {
    return JSON.stringify(row);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [reason] = error.message.split('\n', 1);
    throw new UserError({ where, fault: `cannot be written as JSON: ${reason}` });
  }
}

/** A file in memory with this content. */
export function textInMemory(name: string, text: string): TextFile {
  return { name, size: text.length, read: () => text };
}
