import { holdOut, type Splittable } from '../../src/input/data/split-rows.ts';
import type { Table } from '../../src/input/data/table/read-table.ts';
import { UserError } from '../../src/support/user-error.ts';
import { HELD_OUT } from '../../src/training/run/config/defaults/policy.ts';

/** The fields of the two chosen columns: a text and its label, or a question and its answer. */
export type Row = readonly [input: string, target: string];

/** The rows of a table for training. */
export interface Split {
  train: Row[];
  /** Rows for evaluation, which are never trained on. */
  heldOut: Row[];
  /** Number of rows in which one of the fields is empty, and of rows whose first field occurred before. */
  leftOut: { empty: number; repeated: number };
}

/**
 * Maximum number of held-out rows. Their score is precise to a percent or two, and more would delay checkpoints too
 * long.
 */
const MAX_HELD_OUT = 500;

/**
 * Takes two columns out of a table. Rows whose first field occurred before are dropped, so that no text is both trained
 * on and held out.
 *
 * @param words what the columns contain, for messages: `texts` and `labels`
 * @throws UserError if both columns are the same, or the first has no words
 */
export function chosenRows(
  { fileName, columns, rows }: Table,
  [inputAt, targetAt]: readonly [number, number],
  words: readonly [string, string],
): { rows: Row[]; leftOut: Split['leftOut'] } {
  if (inputAt === targetAt) {
    throw new UserError({
      where: fileName,
      fault:
        columns.length === 1
          ? `has one column, but needs one of ${words[0]} and one of ${words[1]}`
          : `uses column ${columns[inputAt]} for both ${words[0]} and ${words[1]}`,
    });
  }
  const kept = new Map<string, Row>();
  const leftOut = { empty: 0, repeated: 0 };
  for (const row of rows) {
    const [input, target] = [row[inputAt]!.trim(), row[targetAt]!.trim()];
    if (input === '' || target === '') leftOut.empty++;
    else if (kept.has(input)) leftOut.repeated++;
    else kept.set(input, [input, target]);
  }
  return { rows: [...kept.values()], leftOut };
}

/** @throws UserError if no field of the column has a letter */
export function assertWords({ fileName, columns }: Table, column: number, fields: readonly string[]): void {
  if (fields.some((field) => /\p{L}/u.test(field))) return;
  throw new UserError({
    where: `${fileName}, column ${columns[column]}`,
    fault: 'has fields without letters instead of texts',
  });
}

/**
 * Holds out a share of some rows.
 *
 * @param alike the texts that keep rows together, and the labels with equal shares on both sides
 */
export function splitHeldOut(
  rows: readonly Row[],
  alike: Omit<Splittable<Row[]>, 'pick'>,
  share = Math.min(HELD_OUT, MAX_HELD_OUT / rows.length),
): { train: Row[]; heldOut: Row[] } {
  const pick = (numbers: readonly number[]) => numbers.map((number) => rows[number]!);
  const { train, validation } = holdOut({ ...alike, pick }, share);
  return { train, heldOut: validation };
}
