import { createInterface } from 'node:readline/promises';
import { allOf } from '../../support/all-of.ts';
import { suggestAmong } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import type { DataFile } from './read-data-file.ts';

/** Indices of the columns to learn from. */
export interface ChosenColumns {
  text: number;
  textPair?: number;
  label: number;
}

/** Columns that flags name. */
export interface ColumnFlags {
  text?: string | number;
  textPair?: string | number;
  label?: string | number;
}

/**
 * The columns that flags name, and guesses for the others. In a terminal, asks the user about doubtful
 * guesses.
 *
 * @throws UserError that names every column missing from the file
 */
export async function chooseColumns(
  file: DataFile,
  flags: ColumnFlags,
  terminal: { input: NodeJS.ReadStream; output: NodeJS.WriteStream },
): Promise<ChosenColumns> {
  const [text, textPair, label] = allOf(
    (['text', 'textPair', 'label'] as const).map((name) => () => placeOf(file, name, flags[name])),
  );
  const chosen = { text: text ?? file.guess.text, textPair, label: label ?? file.guess.label };
  if (terminal.input.isTTY && terminal.output.isTTY) {
    const doubts = file.guess.doubts.filter((name) => flags[name] === undefined);
    for (const name of doubts) chosen[name] = await ask(file, name, chosen[name], terminal);
  }
  return chosen;
}

function placeOf(
  { path, columns }: DataFile,
  flag: string,
  column: string | number | undefined,
): number | undefined {
  if (column === undefined) return undefined;
  const names = columns.map(({ name }) => name);
  const place = typeof column === 'number' ? column : names.indexOf(column);
  if (place >= 0 && place < columns.length) return place;
  throw new UserError({
    where: `--${flag === 'textPair' ? 'text-pair' : flag}`,
    fault: `names "${column}", which is not a column of ${path}`,
    hint:
      typeof column === 'number'
        ? `Its columns are 0 to ${columns.length - 1}.`
        : suggestAmong(column, names, "The file's columns"),
  });
}

/** Asks until the answer is a column's number or name; an empty answer accepts the guess. */
async function ask(
  { columns, table }: DataFile,
  name: 'text' | 'label',
  guess: number,
  terminal: { input: NodeJS.ReadStream; output: NodeJS.WriteStream },
): Promise<number> {
  const asking = createInterface(terminal);
  try {
    const list = columns.map((column, i) => `  ${i + 1}  ${column.name}: ${excerpt(table.rows[0]![i]!)}`);
    terminal.output.write(`${list.join('\n')}\n`);
    for (;;) {
      const question = `Which column has the ${name === 'text' ? 'texts' : 'labels'}? [${guess + 1}] `;
      const answer = (await asking.question(question)).trim();
      if (answer === '') return guess;
      const place = /^\d+$/.test(answer)
        ? Number(answer) - 1
        : columns.findIndex((column) => column.name === answer);
      if (columns[place]) return place;
    }
  } finally {
    asking.close();
  }
}

export function excerpt(field: string): string {
  const line = field.replace(/\s+/g, ' ').trim();
  return line.length > 50 ? `${line.slice(0, 49)}…` : line;
}
