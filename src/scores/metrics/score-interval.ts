import { Random } from '../../support/random.ts';

/** The 95 % confidence interval of a score. */
export type ScoreInterval = readonly [low: number, high: number];

/** Half the width of a 95 % interval of the normal distribution, in standard deviations. */
const NORMAL_95 = 1.959964;
/** The probability on each side of a 95 % interval. */
const TAIL = 0.025;
const MAX_RESAMPLES = 1000;
const MIN_RESAMPLES = 100;
/**
 * Maximum number of rows drawn by all resamples together, beyond a minimum number of resamples. Drawing them
 * takes some tenths of a second.
 */
const MAX_DRAWN = 2e6;

/** The interval of a share of independent rows (Wilson 1927). */
export function wilson(share: number, rows: number): ScoreInterval {
  const z2 = NORMAL_95 ** 2;
  const center = (share + z2 / (2 * rows)) / (1 + z2 / rows);
  const half = (NORMAL_95 / (1 + z2 / rows)) * Math.sqrt((share * (1 - share)) / rows + z2 / (4 * rows ** 2));
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** The interval of a share of few independent rows, which holds it at least as often as promised (Clopper and Pearson 1934). */
export function exactInterval(successes: number, rows: number): ScoreInterval {
  const low = successes === 0 ? 0 : quantile((share) => 1 - atMost(successes - 1, rows, share), TAIL);
  const high = successes === rows ? 1 : quantile((share) => 1 - atMost(successes, rows, share), 1 - TAIL);
  return [low, high];
}

/** The probability of at most so many successes. */
function atMost(successes: number, rows: number, share: number): number {
  let [term, sum] = [(1 - share) ** rows, 0];
  for (let k = 0; k <= successes; k++) {
    sum += term;
    term *= ((rows - k) / (k + 1)) * (share / (1 - share));
  }
  return sum;
}

/** The share at which an increasing function has a value. */
function quantile(increasing: (share: number) => number, value: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (increasing(middle) < value) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The interval of a share of rows. Rows of one group, such as copies of a text, are not independent. So Wilson's interval
 * is computed for the effective number of rows, which is the number of rows divided by the design effect (Rao and Scott
 * 1992).
 *
 * @param each 0 or 1 for each row
 * @param groups the group of each row, numbered from 0
 */
export function shareInterval(each: ArrayLike<number>, groups: Int32Array): ScoreInterval {
  const rows = groups.length;
  const members = listMembers(groups);
  const share = computeMean(each, groups.keys());
  // Kish's effective size is for rows that are equal within a group, so there are at least as many.
  const least = rows ** 2 / members.reduce((sum, { length }) => sum + length ** 2, 0);
  const ofGroups = members.reduce(
    (sum, group) => sum + group.reduce((total, row) => total + each[row]! - share, 0) ** 2,
    0,
  );
  const variance = (members.length / (members.length - 1)) * ofGroups;
  const effective = variance > 0 ? (rows ** 2 * share * (1 - share)) / variance : least;
  return wilson(share, Math.min(rows, Math.max(effective, least)));
}

/**
 * The interval of any score, by Efron's percentile bootstrap: quantiles of the score over resamples of the groups of
 * rows. The interval is deterministic.
 *
 * @param groups the group of each row, numbered from 0
 * @param scoreOf returns the score of the rows with these indices
 * @returns undefined if the score is undefined for most resamples
 */
export function bootstrap(
  groups: Int32Array,
  scoreOf: (rows: Int32Array) => number,
): ScoreInterval | undefined {
  const random = new Random(0, 'bootstrap');
  const members = listMembers(groups);
  const resamples = Math.max(MIN_RESAMPLES, Math.min(MAX_RESAMPLES, Math.floor(MAX_DRAWN / groups.length)));
  const scores: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const drawn = Int32Array.from(members.flatMap(() => members[random.integer(members.length)]!));
    const score = scoreOf(drawn);
    if (Number.isFinite(score)) scores.push(score);
  }
  if (members.length < 2 || 2 * scores.length < resamples) return undefined;
  scores.sort((a, b) => a - b);
  const quantile = (share: number) => scores[Math.round(share * (scores.length - 1))]!;
  return [quantile(0.025), quantile(0.975)];
}

/** The bootstrap interval of a mean over rows. */
export function meanInterval(values: ArrayLike<number>, groups: Int32Array): ScoreInterval | undefined {
  return bootstrap(groups, (rows) => computeMean(values, rows));
}

/** The interval of a mean over rows: of a share, if each value is 0 or 1. */
export function unitsInterval(values: readonly number[], groups: Int32Array): ScoreInterval | undefined {
  const isShare = values.every((value) => value === 0 || value === 1);
  return isShare ? shareInterval(values, groups) : meanInterval(values, groups);
}

function computeMean(values: ArrayLike<number>, rows: Iterable<number>): number {
  let [sum, count] = [0, 0];
  for (const row of rows) {
    sum += values[row]!;
    count++;
  }
  return sum / count;
}

/** The groups of some rows, numbered from 0. */
export function someGroups(groups: Int32Array, rows: Int32Array): Int32Array {
  const numbers = new Map<number, number>();
  return Int32Array.from(rows, (row) => {
    const number = numbers.get(groups[row]!) ?? numbers.size;
    numbers.set(groups[row]!, number);
    return number;
  });
}

/** The rows of each group. */
export function listMembers(groups: Int32Array): number[][] {
  const members: number[][] = [];
  groups.forEach((group, row) => {
    const rows = members[group] ?? [];
    rows.push(row);
    members[group] = rows;
  });
  return members;
}
