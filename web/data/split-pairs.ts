import { groupEqualTexts } from '../../src/input/data/split-rows.ts';
import type { Table } from '../../src/input/data/table/read-table.ts';
import { UserError } from '../../src/support/user-error.ts';
import { FEW_ROWS, FOLDS, HELD_OUT, heldOutQueries } from '../../src/training/run/config/defaults/policy.ts';
import { assertWords, chosenRows, type Row, type Split, splitHeldOut } from './chosen-rows.ts';

/** Questions with their answers. The run holds out the same ones, and searches all answers. */
export interface PairSplit extends Split {
  /** Number of different answers. */
  answers: number;
}

/** Minimum number of questions, or of sounds. */
const MIN_PAIRS = 5;

/**
 * Takes questions and answers out of a table. Few are cross-validated; of more, a share is held out. Pairs that share a
 * text stay on one side.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitPairs(table: Table, at: readonly [number, number]): PairSplit {
  const { rows, leftOut } = chosenRows(table, at, ['questions', 'answers']);
  assertPairs(table, rows, 'questions with an answer');
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

/** Held-out clips of a few, whose score then says little, and the largest share that they may be. */
const [FEWEST_HELD_OUT, LARGEST_SHARE] = [3, 0.3];

/**
 * Takes sounds and transcripts out of a table, and holds some out. Sounds with the same transcript stay on one side.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitTranscripts(table: Table, at: readonly [number, number]): PairSplit {
  const { rows, leftOut } = chosenRows(table, at, ['sounds', 'transcripts']);
  assertPairs(table, rows, 'sounds with a transcript');
  const transcripts = rows.map(([, transcript]) => transcript);
  assertWords(table, at[1], transcripts);
  const share = Math.max(HELD_OUT, Math.min(LARGEST_SHARE, FEWEST_HELD_OUT / rows.length));
  const split = splitHeldOut(rows, { texts: transcripts.map((text) => [text]) }, share);
  return { ...split, answers: new Set(transcripts).size, leftOut };
}

function assertPairs({ fileName }: Table, { length }: readonly Row[], words: string): void {
  if (length >= MIN_PAIRS) return;
  throw new UserError({
    where: fileName,
    fault: `has ${length} different ${words}; it needs at least ${MIN_PAIRS}`,
  });
}
