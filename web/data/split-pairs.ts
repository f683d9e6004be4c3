import { groupEqualTexts } from '../../src/input/data/split-rows.ts';
import type { Table } from '../../src/input/data/table/read-table.ts';
import { UserError } from '../../src/support/user-error.ts';
import { assertWords, chosenRows, type Split, splitHeldOut } from './chosen-rows.ts';

/** Questions with their answers. */
export interface PairSplit extends Split {
  /** Number of different answers. */
  answers: number;
}

/** Minimum number of questions: one can be held out. */
const MIN_PAIRS = 5;

/**
 * Takes questions and answers out of a table and holds out a share. Pairs that share a text stay on one side.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitPairs(table: Table, at: readonly [number, number]): PairSplit {
  const { rows, leftOut } = chosenRows(table, at, ['questions', 'answers']);
  if (rows.length < MIN_PAIRS) {
    throw new UserError({
      where: table.fileName,
      fault: `has ${rows.length} different questions with an answer; it needs at least ${MIN_PAIRS}, so that one can be held out`,
    });
  }
  for (const side of [0, 1] as const) {
    assertWords(
      table,
      at[side],
      rows.map((row) => row[side]),
    );
  }
  const answers = new Set(rows.map(([, answer]) => answer)).size;
  if (answers < 2) {
    throw new UserError({
      where: `${table.fileName}, column ${table.columns[at[1]]}`,
      fault: 'has the same answer for every question',
    });
  }
  if (Math.max(...groupEqualTexts(rows)) === 0) {
    throw new UserError({
      where: table.fileName,
      fault: 'has no pair that can be held out, because each one shares a text with the others',
      hint: 'Add questions with other answers.',
    });
  }
  return { ...splitHeldOut(rows, { texts: rows }), answers, leftOut };
}
