import { Random } from '../support/random.ts';
import { UserError } from '../support/user-error.ts';

/** The rows of a file, split into training and validation rows. */
export interface HeldOut<Rows> {
  train: Rows;
  validation: Rows;
}

/**
 * Holds out a share of the rows of each stratum. A hash of a row's content decides. So the choice does not depend on
 * order or seed, and hardly changes when rows are added. Rows with equal content are all on one side.
 *
 * @param contentOf returns the content that must not be on both sides: the text, not the label
 * @param stratumOf returns the property with equal shares on both sides, such as the label; by default, all rows are
 * one stratum
 * @throws UserError if either side would be empty
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
    if (seen.has(contents[i]!)) return;
    seen.add(contents[i]!);
    const stratum = stratumOf(row);
    strata.set(stratum, (strata.get(stratum) ?? new Set()).add(contents[i]!));
  });
  const heldOut = new Set<string>();
  // The largest stratum comes first. Each stratum's rounding error is added to the next one, so that small strata
  // together get their share.
  let passed = 0;
  for (const [, stratumRows] of [...strata].sort(
    ([a, { size: m }], [b, { size: n }]) => n - m || (a < b ? -1 : 1),
  )) {
    const count = Math.round(share * (passed + stratumRows.size)) - Math.round(share * passed);
    passed += stratumRows.size;
    for (const content of byHash(stratumRows).slice(0, count)) heldOut.add(content);
  }
  const parts: HeldOut<Row[]> = { train: [], validation: [] };
  rows.forEach((row, i) => void parts[heldOut.has(contents[i]!) ? 'validation' : 'train'].push(row));
  if (parts.train.length > 0 && parts.validation.length > 0) return parts;
  const count = new Set(contents).size;
  const alike = `Only ${count} of the ${rows.length} rows differ, and equal rows stay on one side.`;
  const hint = `${count < rows.length ? `${alike} ` : ''}Set data.validation to ${count > 1 ? 'a larger share or ' : ''}a file of labelled rows.`;
  throw new UserError({
    where: 'data.validation',
    fault: `leaves ${parts.train.length} rows to train on and ${parts.validation.length} to validate on; both need some`,
    hint,
  });
}

function byHash(contents: Iterable<string>): string[] {
  return [...contents]
    .map((content): [string, number] => [content, new Random(0, `held out ${content}`).uniform()])
    .sort(([, a], [, b]) => a - b)
    .map(([content]) => content);
}
