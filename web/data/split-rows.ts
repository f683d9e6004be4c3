import { UserError } from '../../src/support/user-error.ts';
import { FEW_ROWS } from '../../src/training/run/config/defaults/policy.ts';
import { assertWords, chosenRows, type Split, splitHeldOut } from './chosen-rows.ts';
import type { PageTable } from './read-table.ts';
import { NOUNS } from './row-files.ts';

/** Labeled rows. The held-out ones contain the same share of each label. If rows are few, nothing is held out. */
export interface LabeledSplit extends Split {
  /** Number of rows of each label, the most frequent first. */
  labels: [label: string, rows: number][];
}

/** Maximum number of labels. With more, the rows of a page are too few to learn them. */
const MAX_LABELS = 200;

/** Minimum number of rows of the most frequent label. */
const MIN_ROWS_OF_LABEL = 5;

/**
 * Takes texts and labels out of a table and holds out a share of each label.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitRows(table: PageTable, at: readonly [number, number]): LabeledSplit {
  const { fileName, columns } = table;
  const where = `${fileName}, column ${columns[at[1]]}`;
  const { rows, leftOut } = chosenRows(table, at, [
    table.contents ? `${NOUNS[table.contents.medium]}s` : 'texts',
    'labels',
  ]);
  const counts = new Map<string, number>();
  for (const [, label] of rows) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labels = [...counts];
  labels.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (labels.length < 2) {
    const hint = 'Choose another column, or a file with rows of a second label.';
    throw new UserError({
      where,
      fault: `needs at least two different labels, got ${labels.length === 0 ? 'none' : `only "${labels[0]![0]}"`}`,
      hint,
    });
  }
  const count = rows.length + leftOut.repeated;
  if (2 * labels.length > rows.length && 2 * labels.length <= count)
    throw fewTexts(fileName, rows.length, count);
  if (labels.length > MAX_LABELS || 2 * labels.length > rows.length) {
    const hint = 'Is it the column of the labels?';
    throw new UserError({
      where,
      fault: `has ${labels.length} different labels in ${rows.length} rows`,
      hint,
    });
  }
  assertWords(
    table,
    at[0],
    rows.map(([text]) => text),
  );
  if (labels[0]![1] < MIN_ROWS_OF_LABEL) {
    if (leftOut.repeated > 0) throw fewTexts(fileName, rows.length, count);
    throw new UserError({
      where: fileName,
      fault: `has ${labels[0]![1]} rows of "${labels[0]![0]}"; each label needs ${MIN_ROWS_OF_LABEL}, so that one can be held out`,
    });
  }
  // Few rows are cross-validated.
  if (rows.length <= FEW_ROWS) return { train: rows, heldOut: [], labels, leftOut };
  const [texts, strata] = [rows.map(([text]) => [text]), rows.map(([, label]) => label)];
  return { ...splitHeldOut(rows, { texts, strata }), labels, leftOut };
}

/** The error for rows that mostly repeat the same texts. */
function fewTexts(where: string, texts: number, rows: number): UserError {
  return new UserError({
    where,
    fault: `has ${texts} different texts in ${rows} rows; a label needs ${MIN_ROWS_OF_LABEL}, so that one can be held out`,
    hint: `Add rows with other texts. The command line trains without held-out rows: npx adalora train ${where}`,
  });
}
