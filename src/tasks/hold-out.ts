import { Random } from '../support/random.ts';
import { UserError } from '../support/user-error.ts';

/** Two parts of the rows of a file: what is learnt from, and what is kept from that to validate on. */
export interface HeldOut<Rows> {
  train: Rows;
  validation: Rows;
}

/**
 * Keeps a share of the rows of each stratum apart, chosen by a hash of what they say: the same rows whatever their order and the
 * seed, nearly the same when rows are added to the file, and equal ones never on both sides.
 *
 * @param contentOf what of a row must not be learnt where it is validated on: its text, not its label
 * @param stratumOf what has the same share on both sides, such as the label; by default all rows are one stratum
 * @throws UserError where no row is left for one of them
 */
export function holdOut<Row>(
  rows: readonly Row[],
  share: number,
  contentOf: (row: Row) => readonly (string | undefined)[],
  stratumOf: (row: Row) => string = () => '',
): HeldOut<Row[]> {
  const contents = rows.map((row) => JSON.stringify(contentOf(row)));
  const strata = new Map<string, Set<string>>();
  const seen = new Set<string>();
  rows.forEach((row, i) => {
    if (seen.has(contents[i])) return;
    seen.add(contents[i]);
    const stratum = stratumOf(row);
    strata.set(stratum, (strata.get(stratum) ?? new Set()).add(contents[i]));
  });
  const heldOut = new Set<string>();
  // The largest first; what a stratum is short of by rounding goes to the next, so that small ones have their share together.
  let passed = 0;
  for (const [, own] of [...strata].sort(([a, { size: m }], [b, { size: n }]) => n - m || (a < b ? -1 : 1))) {
    const count = Math.round(share * (passed + own.size)) - Math.round(share * passed);
    passed += own.size;
    for (const content of byHash(own).slice(0, count)) heldOut.add(content);
  }
  const parts: HeldOut<Row[]> = { train: [], validation: [] };
  rows.forEach((row, i) => void parts[heldOut.has(contents[i]) ? 'validation' : 'train'].push(row));
  if (parts.train.length > 0 && parts.validation.length > 0) return parts;
  const got = `${parts.train.length} to train on and ${parts.validation.length} to validate on`;
  throw new UserError({ where: 'data.validation', expected: 'rows for both', got });
}

function byHash(contents: Iterable<string>): string[] {
  return [...contents]
    .map((content): [string, number] => [content, new Random(0, `held out ${content}`).uniform()])
    .sort(([, a], [, b]) => a - b)
    .map(([content]) => content);
}
