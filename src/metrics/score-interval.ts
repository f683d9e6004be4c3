import { Random } from '../support/random.ts';

/** The 95 % confidence interval of a score. */
export type ScoreInterval = readonly [low: number, high: number];

/** Half the width of a 95 % interval of the normal distribution, in standard deviations. */
export const NORMAL_95 = 1.959964;
const MAX_RESAMPLES = 1000;
const MIN_RESAMPLES = 100;
/**
 * Maximum number of rows drawn by all resamples together, beyond a minimum number of resamples. Drawing them
 * takes some tenths of a second.
 */
const MAX_DRAWN = 2e6;

/** The interval of an accuracy (Wilson 1927). */
export function wilson(share: number, rows: number): ScoreInterval {
  const z2 = NORMAL_95 ** 2;
  const centre = (share + z2 / (2 * rows)) / (1 + z2 / rows);
  const half = (NORMAL_95 / (1 + z2 / rows)) * Math.sqrt((share * (1 - share)) / rows + z2 / (4 * rows ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/**
 * The interval of any score, by Efron's percentile bootstrap: quantiles of the score over resamples of the
 * rows. The interval is deterministic.
 *
 * @param scoreOf returns the score of the rows with these indices
 * @returns undefined if the score is undefined for most resamples
 */
export function bootstrap(rows: number, scoreOf: (rows: Int32Array) => number): ScoreInterval | undefined {
  const random = new Random(0, 'bootstrap');
  const resamples = Math.max(MIN_RESAMPLES, Math.min(MAX_RESAMPLES, Math.floor(MAX_DRAWN / rows)));
  const drawn = new Int32Array(rows);
  const scores: number[] = [];
  for (let i = 0; i < resamples; i++) {
    for (let row = 0; row < rows; row++) drawn[row] = random.integer(rows);
    const score = scoreOf(drawn);
    if (Number.isFinite(score)) scores.push(score);
  }
  if (rows < 2 || 2 * scores.length < resamples) return undefined;
  scores.sort((a, b) => a - b);
  const quantile = (share: number) => scores[Math.round(share * (scores.length - 1))]!;
  return [quantile(0.025), quantile(0.975)];
}

/** The bootstrap interval of a mean over rows. */
export function meanInterval(values: ArrayLike<number>): ScoreInterval | undefined {
  return bootstrap(values.length, (rows) => rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length);
}
