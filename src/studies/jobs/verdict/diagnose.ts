import type { Confusion } from '../../../program/example-set.ts';
import type { Baseline } from '../../../scores/baselines/baseline.ts';
import { macroF1 } from '../../../scores/metrics/classes.ts';
import { type ScoreName, scoreDefinition } from '../../../scores/metrics/scores.ts';
import { addUp, largest } from '../../../support/numbers.ts';
import { chiefScore } from '../../../tasks/data-files.ts';
import type { LossCourse } from '../../../training/run/checkpoint.ts';
import { MIN_ROWS } from '../../../training/run/config/defaults/policy.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import {
  type Finding,
  floorValue,
  isFloor,
  isNoBetterThanFloor,
  type ToBeat,
  type Verdict,
} from '../../../training/run/verdict.ts';
import { capital } from '../../report/format.ts';

export const PROBE = 'a linear probe';
export const TUNED = 'fine-tuning';

/**
 * For each baseline, its value of the score that judges a run, the best first. Without this score, it is omitted.
 *
 * @param probe the score of the linear probe, if there is one
 */
export function toBeat(
  config: Pick<RunConfig, 'data' | 'training'>,
  baselines: readonly Baseline[],
  probe?: number,
): ToBeat[] {
  const { score } = chiefScore(config);
  const all: ToBeat[] = baselines.flatMap(({ name, isBlind, scores, remedy }) => {
    const value = scores[score as ScoreName];
    return value === undefined
      ? []
      : [{ name, value, is_blind: isBlind, ...(remedy !== undefined && { remedy }) }];
  });
  if (probe !== undefined) all.push({ name: PROBE, value: probe, is_blind: false });
  const sign = scoreDefinition(score)?.lessIsBetter ? -1 : 1;
  const rank = ({ value }: ToBeat) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : sign * value);
  return all.sort((a, b) => rank(b) - rank(a));
}

/** The facts about a run that help to find the reason for a bad score. */
export interface Symptoms {
  /** Whether a lower score is better. */
  lessIsBetter: boolean;
  losses: Pick<LossCourse, 'first' | 'last' | 'peak'>;
  /**
   * Whether the loss is a cross-entropy. Then it starts near the loss of the best prediction that ignores the
   * text.
   */
  isCrossEntropy: boolean;
  /**
   * Loss on the scored rows of the best baseline that ignores the text. Without a baseline, the model's loss
   * before training.
   */
  floorLoss?: number;
  learningRate: number;
  /** The default learning rate. */
  usualRate: number;
  steps: number;
  epochs: number;
  /** Share of the training texts that were truncated to `maxLength` tokens. */
  truncatedShare: number;
  maxLength: number;
  confusion?: Confusion;
}

/** The loss has grown if it ends above this many times the first loss, and above this many times `floorLoss`. */
const GROWN = 2;
/** The loss has exploded if its peak exceeds this many times `floorLoss`. */
const EXPLODED = 4;
/** A learning rate is the likely reason if it is higher or lower than the usual one by more than this factor. */
const UNUSUAL = 3;
/** With fewer steps, a model learns hardly anything. */
const FEW_STEPS = 30;
/** The loss has fallen if it ends below this share of a reference: the first loss, or `floorLoss`. */
const FALLEN = 0.9;
/** The model has memorized the training rows if their loss ends below this share of that reference. */
const BY_HEART = 0.5;
const MOSTLY = 0.5;
/** Rows are unbalanced if this share of them has one class, and less than `FOUND` of another class are found. */
const UNBALANCED = 0.75;
const FOUND = 0.5;
/** A model with this share is right before training, and cannot become better. */
const ALREADY_RIGHT = 0.99;

/** Warnings about a run with a verdict, the most important first; empty if the run went well. */
export function diagnose(verdict: Verdict, symptoms: Symptoms): Finding[] {
  if (verdict.kept === 'start') return [whyUnchanged(verdict)];
  const better = verdict.to_beat.find(({ value }) => isBeaten(verdict, value, symptoms.lessIsBetter));
  if (better?.remedy !== undefined)
    return [
      ...(hasExploded(symptoms) ? [explosion(symptoms)] : []),
      { message: `${capital(better.name)} is better.`, remedy: better.remedy },
    ];
  if (!verdict.learnt) return [reasonFor(verdict, symptoms)];
  const floor = verdict.to_beat.find(isFloor);
  const findings: Finding[] = [];
  const { groups, rows, folds } = verdict;
  if (floor && verdict.interval && isWithin(floorValue(floor), verdict.interval))
    findings.push({
      message: `With ${groups ?? rows} ${groups === undefined ? '' : 'different '}${folds === undefined ? 'held-out ' : ''}rows, the score is not clearly better than ${floor.name}.`,
      remedy:
        folds === undefined
          ? 'Hold out more rows (data.validation), or label more rows.'
          : 'Label more rows.',
    });
  const imbalance = findImbalance(symptoms.confusion);
  if (imbalance) findings.push(imbalance);
  const start = verdict.to_beat.find((other) => other.is_start && isAlreadyRight(other.value, verdict.score));
  if (start && verdict.value <= start.value)
    findings.push({
      message: 'The model before training is already right on the held-out rows.',
      remedy: 'Use it without fine-tuning, or hold out rows that it gets wrong.',
    });
  if (better) {
    const take = better.name === PROBE ? 'Set training.floor: true to end with it. Otherwise r' : 'R';
    findings.push({
      message: `${capital(better.name)} is better.`,
      remedy: `${take}${strengthen(symptoms).slice(1)}`,
    });
  }
  return findings;
}

/** The model before training is the result. */
function whyUnchanged({ score, value, groups, rows = 0 }: Verdict): Finding {
  // Without figures: the verdict's is lowered for the choice, and that of fine-tuning is not.
  const message =
    'Fine-tuning is no better than the model before training, so the result is the model before training.';
  if ((groups ?? rows) < MIN_ROWS) return { message, remedy: 'The rows are too few to tell. Add rows.' };
  return {
    message,
    remedy: isAlreadyRight(value, score)
      ? 'Use the base model without fine-tuning.'
      : 'Add rows, or try a larger model.',
  };
}

/** Whether a score before training cannot become better. */
export function isAlreadyRight(value: number, score: string): boolean {
  const facts = scoreDefinition(score);
  return facts?.isShare === true && !facts.lessIsBetter && value >= ALREADY_RIGHT;
}

/** A warning about a class that is rare and hardly found. */
function findImbalance(confusion: Confusion | undefined): Finding | undefined {
  if (!confusion) return undefined;
  const { labels, counts } = confusion;
  const actual = Float64Array.from(counts, (row) => addUp(row));
  const predicted = Float64Array.from(labels, (_, column) => addUp(counts, (row) => row[column]!));
  const correct = Float64Array.from(counts, (row, i) => row[i]!);
  const rows = addUp(actual);
  const most = actual.indexOf(largest(actual));
  const found = (i: number) => correct[i]! / actual[i]!;
  const present = [...labels.keys()].filter((i) => actual[i]! > 0);
  const worst = present.reduce((a, b) => (found(b) < found(a) ? b : a), most);
  if (actual[most]! < UNBALANCED * rows || worst === most || found(worst) >= FOUND) return undefined;
  const macro = macroF1({ rows, predicted, actual, correct });
  return {
    message: `The classes are unbalanced: ${percent(actual[most]! / rows)} of the rows are "${labels[most]}", and ${percent(found(worst))} of those with "${labels[worst]}" are found. Macro F1 is ${macro.toFixed(3)}.`,
    remedy: 'Set training.class_weights: balanced, or label more rows of the rare classes.',
  };
}

/**
 * Warnings about a run without held-out rows, derived from its training loss.
 *
 * @param isNewHead whether the head is new, so that the loss falls if the model learns anything
 */
export function diagnoseLosses(symptoms: Symptoms, isNewHead: boolean): Finding[] {
  const { first = Number.NaN, last = Number.NaN } = symptoms.losses;
  if (hasExploded(symptoms)) return [explosion(symptoms)];
  // A single reported loss does not show a trend.
  const isFlat = first !== last && !(last < FALLEN * first);
  return isNewHead && isFlat ? [hardlyFell(symptoms)] : [];
}

function explosion(symptoms: Symptoms, answers = ''): Finding {
  const { learningRate, usualRate } = symptoms;
  const usual = usualRate < learningRate ? usualRate : learningRate / 10;
  return {
    message: `The training loss exploded, ${fall(symptoms)}.${answers} The learning rate is too high.`,
    remedy: `Lower training.learning_rate from ${learningRate} to ${usual}.`,
  };
}

function hardlyFell(symptoms: Symptoms, answers = ''): Finding {
  const { first = Number.NaN, last = Number.NaN } = symptoms.losses;
  const change =
    figure(first) === figure(last) ? `stayed at ${figure(last)}` : `hardly fell, ${fall(symptoms)}`;
  return {
    message: `The training loss ${change}.${answers}`,
    remedy: strengthen(symptoms),
  };
}

/** Formats the first and last loss: `from 1.61 to 0.3`. */
function fall({ losses: { first = Number.NaN, last = Number.NaN } }: Symptoms): string {
  return `from ${figure(first)} to ${figure(last)}`;
}

/** The most likely reason why a run learned nothing. */
function reasonFor(verdict: Verdict, symptoms: Symptoms): Finding {
  const { losses, floorLoss, learningRate, usualRate, truncatedShare, maxLength, steps, confusion } =
    symptoms;
  const [first, last] = [losses.first ?? Number.NaN, losses.last ?? Number.NaN];
  const lossChange = fall(symptoms);
  const [only] = actualClasses(confusion);
  if (only !== undefined && actualClasses(confusion).length === 1)
    return {
      message: `Every held-out row is "${only}", so no score can show what the model learned.`,
      remedy: 'Hold out rows of every class (data.validation).',
    };
  const one = onlyAnswer(confusion);
  const answers = one === undefined ? '' : ` The model predicts "${one}" for every row.`;
  if (hasExploded(symptoms)) return explosion(symptoms, answers);
  const { kept, rows, groups } = verdict;
  if (kept === 'tuned' || kept === 'probe') {
    const floor = verdict.to_beat.find(isFloor)?.name ?? 'a constant answer';
    const few = groups ?? rows;
    return {
      message: `${few === 1 ? '1 row is' : `${few} rows are`} too few to tell whether the model is better than ${floor}.${answers}`,
      remedy: 'Label more rows.',
    };
  }
  if (truncatedShare > MOSTLY)
    return {
      message: `${percent(truncatedShare)} of the texts were truncated to ${maxLength} tokens, so the model did not see most of their content.${answers}`,
      remedy: `Raise data.max_length (now ${maxLength}).`,
    };
  const imbalance = one === undefined ? undefined : findImbalance(confusion);
  if (imbalance) return { ...imbalance, message: `${imbalance.message}${answers}` };
  const reference = floorLoss ?? first;
  const isByHeart = last < BY_HEART * reference;
  const hasFallen = last < FALLEN * reference;
  const tooLittle = hardlyFell(symptoms, answers);
  if (!hasFallen && (UNUSUAL * learningRate < usualRate || steps < FEW_STEPS)) return tooLittle;
  const other = verdict.to_beat.find((one) => !isFloor(one))?.name;
  if (other !== undefined && bagFindsNothing(verdict, symptoms))
    return {
      message: `${isByHeart ? 'The model memorized the training rows, but this does not help on others' : 'The texts do not predict the labels'}, and ${other} does no better.${answers}`,
      remedy:
        'Check that data.text and data.label name the right columns. If they do, label more rows, or try a larger model.',
    };
  if (!hasFallen) return tooLittle;
  if (verdict.to_beat.some(({ is_start }) => is_start)) {
    const { value, to_beat } = verdict;
    const floor = to_beat.find((other) => isNoBetterThanFloor(value, [other], symptoms.lessIsBetter));
    const than = floor && !floor.is_start ? `than ${floor.name}` : 'than before training';
    return {
      message: `${last < FALLEN * first ? `The training loss fell (${lossChange}), but the` : 'The'} model is no better on the held-out rows ${than}.`,
      remedy:
        'Lower training.num_train_epochs or training.learning_rate, train on more rows, or check that data.validation is like data.train.',
    };
  }
  return {
    message: `The training loss fell (${lossChange}), but the held-out rows are not predicted better.${answers}`,
    remedy:
      'Check that data.validation is labeled like data.train. Otherwise label more rows, or lower training.num_train_epochs.',
  };
}

/** Whether the loss grew far beyond any initial value, or was never finite. */
function hasExploded({ losses, floorLoss, isCrossEntropy, learningRate, usualRate }: Symptoms): boolean {
  const { first = Number.NaN, last = Number.NaN, peak } = losses;
  if (!(last <= GROWN * Math.max(first, floorLoss ?? 0))) return true;
  // The loss of a regression has no typical initial value, so a high peak alone does not count.
  const isTelling = isCrossEntropy || learningRate > UNUSUAL * usualRate;
  return floorLoss !== undefined && isTelling && peak > EXPLODED * floorLoss;
}

/** Whether a bag of words is not better than the baseline that ignores the text. */
function bagFindsNothing({ to_beat }: Verdict, { lessIsBetter }: Symptoms): boolean {
  const reading = to_beat.filter((other) => !isFloor(other));
  const blind = to_beat.filter(({ is_blind }) => is_blind);
  const sign = lessIsBetter ? -1 : 1;
  const best = largest(blind.map((other) => sign * floorValue(other)));
  return (
    blind.length > 0 &&
    reading.length > 0 &&
    reading.every(({ value }) => !(sign * value > best + 0.05 * Math.abs(1 - best)))
  );
}

/** The advice if more training is likely to help. */
function strengthen({ learningRate, usualRate, epochs, steps }: Symptoms): string {
  const rate =
    learningRate < usualRate
      ? `training.learning_rate (now ${learningRate}, usually ${usualRate})`
      : `training.num_train_epochs (now ${figure(epochs)}, ${steps} steps)`;
  return `Raise ${rate}, or try a larger model.`;
}

/** Whether another score is better than the whole interval of the model's score. */
function isBeaten(
  { value, interval = [value, value] }: Verdict,
  other: number,
  lessIsBetter: boolean,
): boolean {
  return lessIsBetter ? other < interval[0] : other > interval[1];
}

function isWithin(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low && value <= high;
}

/** The classes that occur in the scored rows. */
function actualClasses(confusion: Confusion | undefined): readonly string[] {
  return confusion?.labels.filter((_, row) => confusion.counts[row]!.some((count) => count > 0)) ?? [];
}

/** The class that the model predicts for all rows; undefined if it predicts several. */
function onlyAnswer(confusion: Confusion | undefined): string | undefined {
  if (!confusion) return undefined;
  const { labels, counts } = confusion;
  const answered = labels.filter((_, column) => counts.some((row) => row[column]! > 0));
  return answered.length === 1 ? answered[0] : undefined;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Formats a value with three significant digits. */
function figure(value: number): string {
  return Number.isFinite(value) ? `${Number(value.toPrecision(3))}` : 'not a number';
}
