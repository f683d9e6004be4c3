import { z } from 'zod';

const text = z.string();
/** JSON has no NaN: null was NaN. */
const number = z
  .unknown()
  .transform((value) => (typeof value === 'number' ? value : Number.NaN))
  .prefault(null);

/** A baseline, by the score that models are compared by. */
export const toBeatSchema = z.object({
  /** Its name in a sentence: `a bag of words`, `always "returns"`. */
  name: text,
  /** NaN if the score is undefined. */
  value: number,
  /** Whether it ignores the text, like the majority class. */
  is_blind: z.boolean(),
  /** Whether it is the model before training. */
  is_start: z.boolean().optional(),
});

/** A warning before the model is used, and its remedy. */
export const findingSchema = z.object({ message: text, remedy: text });

/** The assessment of a model against its baselines. */
export const verdictSchema = z.object({
  /** The score by which models are compared, without `eval_`; with the name of its set if there are several. */
  score: text,
  /** Its average over classes, if there is more than one way. */
  average: text.optional(),
  value: number,
  /** The 95 % confidence interval of the score. */
  interval: z.tuple([z.number(), z.number()]).optional(),
  /** The number of scored units: rows, sentences, questions. */
  rows: z.int().min(0).optional(),
  to_beat: z.array(toBeatSchema).default([]),
  /** False if the model is no better than a baseline that ignores the text, or than before training. */
  learnt: z.boolean().default(true),
  /** Warnings, the most important first. */
  findings: z.array(findingSchema).default([]),
});

export type ToBeat = z.output<typeof toBeatSchema>;
export type Finding = z.output<typeof findingSchema>;
export type Verdict = z.output<typeof verdictSchema>;

/** Whether a model that is no better than this has learned nothing. */
export function isFloor({ is_blind, is_start }: ToBeat): boolean {
  return is_blind || is_start === true;
}

/**
 * Whether a score is no better than a baseline that ignores the text, or than the model before training. If so, the
 * model has learned nothing. NaN is not better.
 */
export function isNoBetterThanFloor(value: number, toBeat: readonly ToBeat[], lessIsBetter = false): boolean {
  if (Number.isNaN(value)) return true;
  const sign = lessIsBetter ? -1 : 1;
  return toBeat.some((other) => isFloor(other) && sign * value <= sign * floorValue(other));
}

/** The score of such a baseline; an undefined correlation counts as 0. */
export function floorValue({ value }: ToBeat): number {
  return Number.isNaN(value) ? 0 : value;
}
