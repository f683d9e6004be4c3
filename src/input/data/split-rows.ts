import { addUp } from '../../support/numbers.ts';
import { Random } from '../../support/random.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';

/** Rows that can be split, and the facts that decide how. */
export interface Splittable<Rows> {
  /** The texts of each row. Rows that share a text stay in one part, and so do rows that share one with those. */
  texts: readonly (readonly (string | undefined)[])[];
  /** A property of each row with equal shares in all parts, such as the label. */
  strata?: readonly string[] | undefined;
  /** Returns some of the rows, by their numbers in ascending order. */
  pick(rows: readonly number[]): Rows;
}

/** Rows to train on, and rows that are held out from training. */
export interface HeldOut<Rows> {
  train: Rows;
  validation: Rows;
}

/**
 * Numbers the groups of rows that share a text, directly or through other rows. White space does not make texts
 * different.
 *
 * @returns the group of each row; groups are numbered from 0, in the order of their first rows
 */
export function groupEqualTexts(texts: Splittable<unknown>['texts']): Int32Array {
  const parents = Int32Array.from(texts.keys());
  const root = (row: number): number => {
    let at = row;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  };
  const rowOf = new Map<string, number>();
  texts.forEach((ofRow, row) => {
    for (const key of listKeys(ofRow)) {
      const other = rowOf.get(key);
      if (other === undefined) rowOf.set(key, row);
      else parents[root(row)] = root(other);
    }
  });
  const numbers = new Map<number, number>();
  return parents.map((_, row) => {
    const at = root(row);
    const number = numbers.get(at) ?? numbers.size;
    numbers.set(at, number);
    return number;
  });
}

/**
 * Holds out a share of the rows of each stratum. A hash of the texts decides. So the choice does not depend on order or
 * seed, and hardly changes when rows are added. Copies of a row count once. The only row of a stratum is trained on.
 *
 * @throws UserError if either side would be empty
 */
export function holdOut<Rows>(rows: Splittable<Rows>, share: number): HeldOut<Rows> {
  const groups = splitGroups(rows);
  const heldOut = takeShare(groups, share, 1, true);
  if (heldOut.size > 0 && heldOut.size < groups.length) return parts(rows, heldOut);
  const count = rows.texts.length;
  const alike = `The ${count} rows are ${groups.length} ${groups.length === 1 ? 'group' : 'groups'} with texts in common, and a group stays on one side.`;
  const hint = `${groups.length < count ? `${alike} ` : ''}Set data.validation to ${groups.length > 1 ? 'a larger share or ' : ''}a file of labeled rows.`;
  const held = addUp(heldOut, (group) => group.rows.length);
  throw new UserError({
    where: 'data.validation',
    fault: `leaves ${count - held} rows to train on and ${held} to validate on; both need some`,
    hint,
    code: 'invalid_config',
  });
}

/**
 * Splits rows into folds for cross-validation. Each row is held out once. The folds have nearly the same size, and
 * nearly the same share of each stratum. The first fold has the rows that {@link holdOut} holds out for this share,
 * except where a stratum has a single row, or a group of rows is larger than a fold: such a group is a fold of its own.
 *
 * @param count number of folds, at least 2
 * @throws UserError if the rows have fewer groups than that
 */
export function splitFolds<Rows>(rows: Splittable<Rows>, count: number): HeldOut<Rows>[] {
  let rest = splitGroups(rows);
  if (rest.length < count) {
    throw new InvalidData({
      where: 'the data',
      fault: `has ${rest.length} groups of rows without a common text, too few for ${count} folds`,
      hint: 'Label more rows, or use fewer folds.',
    });
  }
  const alone: Set<Group>[] = [];
  for (let folds = count; folds > 1; folds--) {
    const largest = rest.reduce((a, b) => (b.weight > a.weight ? b : a));
    if (largest.weight <= addUp(rest, readWeight) / folds) break;
    alone.push(new Set([largest]));
    rest = rest.filter((group) => group !== largest);
  }
  const folds: Set<Group>[] = [];
  for (let left = count - alone.length; left > 0; left--) {
    const fold = left === 1 ? new Set(rest) : takeShare(rest, 1 / left, left - 1, false);
    folds.push(fold);
    rest = rest.filter((group) => !fold.has(group));
  }
  return [...folds, ...alone].map((fold) => parts(rows, fold));
}

/** The texts by which a row belongs to a group. An empty text says nothing beside another one. */
function listKeys(texts: readonly (string | undefined)[]): string[] {
  const keys = texts.map((text = '') => withoutSpace(text)).filter((text) => text !== '');
  return keys.length > 0 ? keys : [''];
}

/** Rows that stay together. */
interface Group {
  rows: number[];
  /** Number of different rows. */
  weight: number;
  stratum: string;
  /** Decides the place of the group among those of its stratum. */
  hash: number;
  /** Decides between equal hashes. */
  key: string;
}

function splitGroups<Rows>({ texts, strata }: Splittable<Rows>): Group[] {
  const members: number[][] = [];
  groupEqualTexts(texts).forEach((group, row) => {
    const rows = members[group] ?? [];
    rows.push(row);
    members[group] = rows;
  });
  return members.map((rows) => {
    const contents = new Set(
      rows.map((row) =>
        JSON.stringify(texts[row]!.map((text) => (text === undefined ? text : withoutSpace(text)))),
      ),
    );
    const [key = ''] = [...contents].sort();
    return {
      rows,
      weight: contents.size,
      stratum: strata ? mostFrequent(rows.map((row) => strata[row]!)) : '',
      hash: new Random(0, `held out ${key}`).uniform(),
      key,
    };
  });
}

/**
 * Takes groups of each stratum until they have a share of its weight. A group that would exceed the share by more than
 * half its weight is passed over.
 *
 * @param left minimum number of groups that are not taken
 * @param sparesLast whether one group of each stratum is not taken
 */
function takeShare(groups: readonly Group[], share: number, left: number, sparesLast: boolean): Set<Group> {
  const strata = new Map<string, Group[]>();
  for (const group of groups) {
    const same = strata.get(group.stratum) ?? [];
    same.push(group);
    strata.set(group.stratum, same);
  }
  const sizes = [...strata].map(([name, same]) => ({ name, same, weight: addUp(same, readWeight) }));
  sizes.sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1));
  const taken = new Set<Group>();
  // The largest stratum comes first. Each stratum's rounding error is added to the next one, so that small strata
  // together get their share.
  let [passed, held] = [0, 0];
  for (const { same, weight } of sizes) {
    passed += weight;
    const most = sparesLast ? same.length - 1 : same.length;
    let count = 0;
    for (const group of same.sort(byHash)) {
      if (count === most || taken.size === groups.length - left) break;
      if (held + group.weight / 2 > Math.round(share * passed)) continue;
      taken.add(group);
      held += group.weight;
      count++;
    }
  }
  if (taken.size > 0 || groups.length <= left || Math.round(share * passed) === 0) return taken;
  // Every group is larger than the share.
  return new Set([
    groups.reduce((a, b) => (b.weight < a.weight || (b.weight === a.weight && byHash(b, a) < 0) ? b : a)),
  ]);
}

function parts<Rows>({ texts, pick }: Splittable<Rows>, heldOut: ReadonlySet<Group>): HeldOut<Rows> {
  const held = new Set([...heldOut].flatMap(({ rows }) => rows));
  const numbers = [...texts.keys()];
  return {
    train: pick(numbers.filter((row) => !held.has(row))),
    validation: pick(numbers.filter((row) => held.has(row))),
  };
}

/** The most frequent value, and of equally frequent ones the first in alphabetical order. */
function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return first![0];
}

const readWeight = ({ weight }: Group): number => weight;

function byHash(a: Group, b: Group): number {
  return a.hash - b.hash || (a.key < b.key ? -1 : 1);
}

function withoutSpace(text: string): string {
  // Most texts stay as they are, and this test is faster than a replacement.
  return /^\s|\s$|\s\s|[^\S ]/.test(text) ? text.trim().replace(/\s+/g, ' ') : text;
}
