import { Random } from '../support/random.ts';
import { UserError } from '../support/user-error.ts';

/** Two parts of the rows of a file: what is learnt from, and what is kept from that to validate on. */
export interface HeldOut<Rows> {
  train: Rows;
  validation: Rows;
}

/**
 * Keeps about a share of rows apart by a hash of what they say: the same rows whatever their order, the seed, and what is
 * added to the file, and equal ones never on both sides.
 *
 * @param contentOf what of a row must not be learnt where it is validated on: its text, not its label
 * @throws UserError where no row is left for one of them
 */
export function holdOut<Row>(
  rows: readonly Row[],
  share: number,
  contentOf: (row: Row) => readonly (string | undefined)[],
): HeldOut<Row[]> {
  const parts: HeldOut<Row[]> = { train: [], validation: [] };
  for (const row of rows) {
    const isHeldOut = new Random(0, `held out ${JSON.stringify(contentOf(row))}`).uniform() < share;
    parts[isHeldOut ? 'validation' : 'train'].push(row);
  }
  if (parts.train.length > 0 && parts.validation.length > 0) return parts;
  const got = `${parts.train.length} to train on and ${parts.validation.length} to validate on`;
  throw new UserError({ where: 'data.validation', expected: 'rows for both', got });
}
