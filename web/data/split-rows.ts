import type { Table } from '../../src/data/table/read-table.ts';
import { Random } from '../../src/support/random.ts';
import { UserError } from '../../src/support/user-error.ts';

export interface LabelledRow {
  text: string;
  label: string;
}

/** The rows of a table for training. */
export interface Split {
  train: LabelledRow[];
  /** Rows for evaluation, which are never trained on. They contain the same share of each label. */
  heldOut: LabelledRow[];
  /** Number of rows of each label, the most frequent first. */
  labels: [label: string, rows: number][];
  /** Number of rows without text or label, and of duplicate texts. */
  leftOut: { empty: number; repeated: number };
}

const HELD_OUT_SHARE = 0.2;
/**
 * Maximum number of held-out rows. Their score is precise to a percent or two, and more would delay checkpoints too
 * long.
 */
const MAX_HELD_OUT = 500;
/** Maximum number of labels. With more, the rows of a page are too few to learn them. */
const MAX_LABELS = 200;

/**
 * Takes texts and labels out of a table and holds out a share of each label. Duplicate texts are dropped, so that no
 * text is on both sides.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitRows(table: Table, text: number, label: number, seed: number): Split {
  const { fileName, columns } = table;
  const where = `${fileName}, column ${columns[label]}`;
  if (text === label) {
    throw new UserError({
      where: fileName,
      fault:
        columns.length === 1
          ? 'has one column, but needs one of texts and one of labels'
          : `uses column ${columns[text]} for both texts and labels`,
    });
  }
  const { rows, leftOut } = usable(table, text, label);
  const byLabel = rowsByLabel(rows);
  const labels = [...byLabel].map(([name, { length }]): [string, number] => [name, length]);
  labels.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (labels.length < 2) {
    const hint = 'Choose another column, or a file with rows of a second label.';
    throw new UserError({
      where,
      fault: `needs at least two different labels, got ${labels.length === 0 ? 'none' : `only "${labels[0][0]}"`}`,
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
  if (!rows.some((row) => /\p{L}/u.test(row.text))) {
    throw new UserError({
      where: `${fileName}, column ${columns[text]}`,
      fault: 'has fields without letters instead of texts',
    });
  }
  const share = Math.min(HELD_OUT_SHARE, MAX_HELD_OUT / rows.length);
  const heldOut = new Set([...byLabel.values()].flatMap((same) => chosen(same, share, seed)));
  if (heldOut.size === 0) {
    if (leftOut.repeated > 0) throw fewTexts(fileName, rows.length, count);
    throw new UserError({
      where: fileName,
      fault: `has ${labels[0][1]} rows of "${labels[0][0]}"; each label needs five, so that one can be held out`,
    });
  }
  const train = rows.filter((row) => !heldOut.has(row));
  return { train, heldOut: [...heldOut], labels, leftOut };
}

/** The error for rows that mostly repeat the same texts. */
function fewTexts(where: string, texts: number, rows: number): UserError {
  return new UserError({
    where,
    fault: `has ${texts} different texts in ${rows} rows; a label needs five, so that one can be held out`,
    hint: `Add rows with other texts. The command line trains without held-out rows: npx adalora train ${where}`,
  });
}

function rowsByLabel(rows: Iterable<LabelledRow>): Map<string, LabelledRow[]> {
  const groups = new Map<string, LabelledRow[]>();
  for (const row of rows) {
    const group = groups.get(row.label);
    if (group) group.push(row);
    else groups.set(row.label, [row]);
  }
  return groups;
}

function usable({ rows }: Table, textAt: number, labelAt: number) {
  const kept = new Map<string, LabelledRow>();
  const leftOut = { empty: 0, repeated: 0 };
  for (const row of rows) {
    const [text, label] = [row[textAt].trim(), row[labelAt].trim()];
    if (text === '' || label === '') leftOut.empty++;
    else if (kept.has(text)) leftOut.repeated++;
    else kept.set(text, { text, label });
  }
  return { rows: [...kept.values()], leftOut };
}

/** Returns a random share of some rows. */
function chosen(rows: readonly LabelledRow[], share: number, seed: number): LabelledRow[] {
  const order = new Random(seed, 'held out').permutation(rows.length);
  return Array.from(order.subarray(0, Math.floor(share * rows.length)), (i) => rows[i]);
}
