import { groupEqualTexts } from '../../src/input/data/split-rows.ts';
import type { Table } from '../../src/input/data/table/read-table.ts';
import { UserError } from '../../src/support/user-error.ts';
import { FEW_ROWS, FOLDS, heldOutQueries } from '../../src/training/run/config/defaults/policy.ts';
import { assertWords, chosenRows, type Split, splitHeldOut } from './chosen-rows.ts';

/** Questions with their answers. The run holds out the same ones, and searches all answers. */
export interface PairSplit extends Split {
  /** Number of different answers. */
  answers: number;
}

/** Minimum number of questions. */
const MIN_PAIRS = 5;

/**
 * Takes questions and answers out of a table. Few are cross-validated; of more, a share is held out. Pairs that share a
 * text stay on one side.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitPairs(table: Table, at: readonly [number, number]): PairSplit {
  const { rows, leftOut } = chosenRows(table, at, ['questions', 'answers']);
  if (rows.length < MIN_PAIRS) {
    throw new UserError({
      where: table.fileName,
      fault: `has ${rows.length} different questions with an answer; it needs at least ${MIN_PAIRS}`,
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
  if (new Set(groupEqualTexts(rows)).size < FOLDS) {
    throw new UserError({
      where: table.fileName,
      fault: 'has too few pairs without a common text to score a search',
      hint: 'Add questions with other answers.',
    });
  }
  if (rows.length <= FEW_ROWS) return { train: rows, heldOut: [], answers, leftOut };
  const share = heldOutQueries(rows.length) / 100;
  return { ...splitHeldOut(rows, { texts: rows }, share), answers, leftOut };
}
