import { listMembers, type ScoreInterval } from '../../../scores/metrics/score-interval.ts';
import { addUp, mean, smallest } from '../../../support/numbers.ts';
import { mapValues } from '../../../support/options.ts';
import { Random } from '../../../support/random.ts';

/**
 * The possible results of a run: a constant, a linear probe of the frozen model, the model before training, or the
 * fine-tuned model.
 */
export type ContenderKind = 'constant' | 'probe' | 'start' | 'tuned';

/** A model that a run may leave behind, by its predictions of rows that it was not trained on. */
export interface Contender {
  kind: ContenderKind;
  /**
   * Its versions, which differ in the penalty of their linear layer: the outputs of each row. Empty arrays for rows that
   * no model has predicted.
   */
  versions: readonly (readonly Float32Array[])[];
}

/** How outputs of rows are compared. */
export interface Yardstick {
  /** The group of each row. Rows of a group are not independent. */
  groups: Int32Array;
  /** The scores that a choice may lower; higher is better. NaN if one is undefined. */
  scores(outputs: readonly Float32Array[], rows: Int32Array): Readonly<Record<string, number>>;
  /** The name of the score that chooses. */
  chief: string;
  /** Whether a simpler contender is chosen if it is as good. Otherwise it must be better by a standard error. */
  prefersSimpler?: boolean;
  /** The loss of one row. */
  loss(outputs: readonly Float32Array[], row: number): number;
}

export interface Choice {
  /** Index of the contender. */
  chosen: number;
  /** The best version of each contender. */
  versions: readonly number[];
  /**
   * How much higher the chosen contender's scores are on these rows than they would be on others, because the rows have
   * chosen it.
   */
  optimism: Readonly<Record<string, number>>;
  /** Rows that all contenders have predicted. */
  rows: Int32Array;
}

const RESAMPLES = 200;

/**
 * Chooses among contenders. The version of a contender is the one with the lowest loss. A simpler contender, which comes
 * first, is chosen only if it is better by more than a standard error of the paired difference: fine-tuning gains on
 * most tasks, so that is the better guess if the rows cannot tell.
 *
 * The whole choice is repeated on resamples of the rows. The rows left out score each choice, because they
 * had no part in it (BBC-CV: Tsamardinos et al., Machine Learning 2018).
 */
export function choose(contenders: readonly Contender[], yardstick: Yardstick): Choice {
  const members = listMembers(yardstick.groups);
  const isKnown = (row: number) =>
    contenders.every(({ versions }) => versions.every((outputs) => outputs[row]!.length > 0));
  const known = members.map((rows) => rows.filter(isKnown)).filter((rows) => rows.length > 0);
  const rows = Int32Array.from(known.flat()).sort();
  const losses = computeLosses(contenders, yardstick, rows);
  const versionsOn = (rows: Int32Array) => losses.map((ofVersions) => lowest(ofVersions, rows));
  const scoresOf = (contender: number, versions: readonly number[], rows: Int32Array) =>
    yardstick.scores(contenders[contender]!.versions[versions[contender]!]!, rows);
  const scoreOf = (contender: number, versions: readonly number[], rows: Int32Array) =>
    comparable(scoresOf(contender, versions, rows)[yardstick.chief]!);
  const random = new Random(0, 'contenders');
  const resamples = Array.from({ length: RESAMPLES }, () => resample(known, random));
  const versions = versionsOn(rows);
  // The standard error of each pair's difference, at the versions that are best on all rows.
  const scores = resamples.map(({ drawn }) => contenders.map((_, i) => scoreOf(i, versions, drawn)));
  const margin = (a: number, b: number) =>
    deviation(scores.map((of) => of[a]! - of[b]!).filter(Number.isFinite));
  const margins = contenders.map((_, a) => contenders.map((_, b) => margin(a, b)));
  const chosenOn = (rows: Int32Array, versions: readonly number[]) => {
    const on = contenders.map((_, i) => scoreOf(i, versions, rows));
    const isKept = (best: number, i: number) =>
      yardstick.prefersSimpler ? on[best]! >= on[i]! : on[best]! - on[i]! > margins[best]![i]!;
    return contenders.reduce((best, _, i) => (isKept(best, i) ? best : i), 0);
  };
  const chosen = chosenOn(rows, versions);
  const others = resamples.flatMap(({ drawn, left }) => {
    if (left.length === 0) return [];
    const ofDrawn = versionsOn(drawn);
    return [scoresOf(chosenOn(drawn, ofDrawn), ofDrawn, left)];
  });
  const optimism = mapValues(scoresOf(chosen, versions, rows), (value, name) => {
    const onOthers = others.map((scores) => scores[name]!).filter(Number.isFinite);
    // It is not a number if no resample leaves a row out.
    return Math.max(0, value - mean(onOthers) || 0);
  });
  return { chosen, versions, optimism, rows };
}

/**
 * How much wider an interval is in a cross-validation. The predictions of a fold come from one model, so they are not
 * independent. Over shuffles of labels, the deviation of a score was 1.09 times that of independent rows.
 */
const FOLDED = 1.1;

/**
 * The interval of the score of a chosen contender.
 *
 * @param by the correction for the choice
 * @param isFolded whether the rows were predicted in a cross-validation
 */
export function correctedInterval([low, high]: ScoreInterval, by: number, isFolded: boolean): ScoreInterval {
  const middle = (low + high) / 2;
  const reach = ((high - low) / 2) * (isFolded ? FOLDED : 1);
  return [middle - reach + by, middle + reach + by];
}

/** Whether outputs have a lower mean loss than others, by more than a standard error of the paired difference. */
export function hasLowerLoss(
  outputs: readonly Float32Array[],
  others: readonly Float32Array[],
  rows: Int32Array,
  { groups, loss }: Yardstick,
): boolean {
  const isTaken = new Set(rows);
  const ofGroups = listMembers(groups)
    .map((members) => members.filter((row) => isTaken.has(row)))
    .filter((members) => members.length > 0)
    .map((members) => mean(members.map((row) => loss(others, row) - loss(outputs, row))));
  return mean(ofGroups) > deviation(ofGroups) / Math.sqrt(ofGroups.length);
}

/** For each contender, its version with the lowest loss on some rows. */
export function bestVersions(
  contenders: readonly Contender[],
  yardstick: Yardstick,
  rows: Int32Array,
): number[] {
  return computeLosses(contenders, yardstick, rows).map((ofVersions) => lowest(ofVersions, rows));
}

/** The losses of some rows, of each version of each contender. */
function computeLosses(
  contenders: readonly Contender[],
  { loss }: Yardstick,
  rows: Int32Array,
): Float64Array[][] {
  return contenders.map(({ versions }) =>
    versions.map((outputs) => {
      const each = new Float64Array(outputs.length);
      for (const row of rows) each[row] = loss(outputs, row);
      return each;
    }),
  );
}

/** An undefined score, such as the correlation of a constant, is the worst. */
function comparable(score: number): number {
  return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
}

/** Draws groups with replacement. Returns their rows, and the rows of the groups that were not drawn. */
function resample(groups: readonly number[][], random: Random): { drawn: Int32Array; left: Int32Array } {
  const picks = groups.map(() => random.integer(groups.length));
  const taken = new Set(picks);
  return {
    drawn: Int32Array.from(picks.flatMap((group) => groups[group]!)),
    left: Int32Array.from(groups.flatMap((rows, group) => (taken.has(group) ? [] : rows))),
  };
}

function lowest(losses: readonly Float64Array[], rows: Int32Array): number {
  const totals = losses.map((each) => addUp(rows, (row) => each[row]!));
  return totals.indexOf(smallest(totals));
}

function deviation(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
}
