import { UserError } from '../support/user-error.ts';
import type { TextFile } from './text-file.ts';

/** Rows of a program, as a file of JSON Lines has them. */
export type Rows = readonly object[];

/** Whether these are rows, and no list of files' names. */
export function isRows(value: unknown): value is Rows {
  return Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null);
}

/**
 * Rows as JSON Lines.
 *
 * @param where what they are called in messages
 * @throws UserError for values that JSON has not, such as a BigInt
 */
export function rowsText(rows: Rows, where: string): string {
  return rows.map((row, i) => `${jsonOf(row, `${where}, row ${i + 1}`)}\n`).join('');
}

function jsonOf(row: object, where: string): string {
  try {
    return JSON.stringify(row);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [got] = error.message.split('\n', 1);
    throw new UserError({ where, expected: 'values that JSON has', got });
  }
}

/** Such a text as the file that it stands for. */
export function textInMemory(name: string, text: string): TextFile {
  return { name, size: text.length, read: () => text };
}
