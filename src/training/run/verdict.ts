import { z } from 'zod';

const text = z.string();
/** NaN is stored as null, because JSON has no NaN. */
const number = z
  .unknown()
  .transform((value) => (typeof value === 'number' ? value : Number.NaN))
  .prefault(null);

/** The score of a baseline. */
export const toBeatSchema = z.object({
  /** The baseline's name in a sentence: `a bag of words`, `always "returns"`. */
  name: text,
  /** NaN if the score is undefined. */
  value: number,
  /** Whether the baseline ignores the text, like the majority class. */
  is_blind: z.boolean(),
  /** Whether the baseline is the model before training. */
  is_start: z.boolean().optional(),
  /** Advice if the baseline is better than the trained model. Default: train it longer, or a larger one. */
  remedy: text.optional(),
});

/** A warning about the model, and its remedy. */
const findingSchema = z.object({ message: text, remedy: text });

/** The assessment of a model compared with baselines. */
export const verdictSchema = z.object({
  /** Name of the score that selects the best model, without `eval_`. With several sets, it contains the set's name. */
  score: text,
  /** How the score is averaged over classes, if there are several ways. */
  average: text.optional(),
  /** The score on rows that the model did not train on. After a cross-validation, lowered for the choice among models. */
  value: number,
  /** The 95 % confidence interval of the score. */
  interval: z.tuple([z.number(), z.number()]).optional(),
  /** The number of scored units: rows, sentences, questions. */
  rows: z.int().min(0).optional(),
  /** The number of groups of rows without a text in common, if it is smaller. It decides the interval. */
  groups: z.int().min(0).optional(),
  /** In a search, the number of texts among which each query was searched. */
  candidates: z.int().min(1).optional(),
  /** Number of folds of the cross-validation that gave the score. Undefined if rows were held out. */
  folds: z.int().min(2).optional(),
  /**
   * The run's result, if it chose: the fine-tuned model, the model before training, a linear probe of the frozen model, or
   * a constant.
   */
  kept: z.enum(['constant', 'probe', 'start', 'tuned']).optional(),
  /** The scores of baselines on the same rows. */
  to_beat: z.array(toBeatSchema).default([]),
  /** False if the model is no better than a floor: a baseline that ignores the text, or the model before training. */
  learnt: z.boolean().default(true),
  /** Warnings, the most important first. */
  findings: z.array(findingSchema).default([]),
});

/** A baseline and its score. */
export type ToBeat = z.output<typeof toBeatSchema>;
/** A warning about the model, and its remedy. */
export type Finding = z.output<typeof findingSchema>;
/** How good a run's result is compared with simpler models, and what could make it better. */
export type Verdict = z.output<typeof verdictSchema>;

/** Whether a run's result is its fine-tuned model. */
export function isTuned(verdict: Pick<Verdict, 'kept'> | undefined): boolean {
  return (verdict?.kept ?? 'tuned') === 'tuned';
}

/** Whether a baseline is a floor. A model that is no better than a floor has learned nothing. */
export function isFloor({ is_blind, is_start }: ToBeat): boolean {
  return is_blind || is_start === true;
}

/**
 * Whether a score is no better than a floor: a baseline that ignores the text, or the model before training. NaN is not
 * better.
 */
export function isNoBetterThanFloor(value: number, toBeat: readonly ToBeat[], lessIsBetter = false): boolean {
  if (Number.isNaN(value)) return true;
  const sign = lessIsBetter ? -1 : 1;
  return toBeat.some((other) => isFloor(other) && sign * value <= sign * floorValue(other));
}

/** The score of a floor. An undefined correlation counts as 0. */
export function floorValue({ value }: ToBeat): number {
  return Number.isNaN(value) ? 0 : value;
}
