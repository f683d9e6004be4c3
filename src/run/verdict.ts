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
  /** Whether it answers without reading the text, such as the majority class. */
  is_blind: z.boolean(),
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
  /** 95 %. */
  interval: z.tuple([z.number(), z.number()]).optional(),
  /** The number of scored units: rows, sentences, questions. */
  rows: z.int().min(0).optional(),
  to_beat: z.array(toBeatSchema).default([]),
  /** False if the model is no better than a baseline that does not read the text. */
  learnt: z.boolean().default(true),
  /** The most important first. */
  findings: z.array(findingSchema).default([]),
});

export type ToBeat = z.output<typeof toBeatSchema>;
export type Finding = z.output<typeof findingSchema>;
export type Verdict = z.output<typeof verdictSchema>;

/**
 * Whether a score is no better than that of a baseline that does not read the text: then the model has learned
 * nothing. NaN is not better.
 */
export function isNoBetterThanBlind(value: number, toBeat: readonly ToBeat[], lessIsBetter = false): boolean {
  if (Number.isNaN(value)) return true;
  const sign = lessIsBetter ? -1 : 1;
  return toBeat.some((other) => other.is_blind && sign * value <= sign * blindValue(other));
}

/** The score of a baseline that does not read the text; an undefined correlation counts as 0. */
export function blindValue({ value }: ToBeat): number {
  return Number.isNaN(value) ? 0 : value;
}
