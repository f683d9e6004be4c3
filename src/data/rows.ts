import { UserError } from '../support/user-error.ts';
import type { TextFile } from './text-file.ts';

/** Rows from a program, in the form of JSON Lines. */
export type Rows = readonly object[];

/** Rows that a program has, or that it reads one after another. */
export type RowSource = Rows | AsyncIterable<object>;

export function isAsyncRows(value: unknown): value is AsyncIterable<object> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Whether these are rows instead of a list of file names. */
export function isRows(value: unknown): value is Rows {
  return Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null);
}

/**
 * Rows as JSON Lines.
 *
 * @param where their name in messages
 * @throws UserError for values that JSON lacks, such as a BigInt
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

/** A file in memory with this text. */
export function textInMemory(name: string, text: string): TextFile {
  return { name, size: text.length, read: () => text };
}
