import { z } from 'zod';

const text = z.string();
/** JSON has no NaN: null was none. */
const number = z
  .unknown()
  .transform((value) => (typeof value === 'number' ? value : Number.NaN))
  .prefault(null);

/** What a model has to beat, by the score that models are compared by. */
export const toBeatSchema = z.object({
  /** As it stands in a sentence: `a bag of words`, `always "returns"`. */
  name: text,
  /** NaN where the score is undefined. */
  value: number,
  /** Whether it answers without reading the text, such as the majority class. */
  is_blind: z.boolean(),
});

/** Something a person should know before the model is used, and what to do about it. */
export const findingSchema = z.object({ message: text, remedy: text });

/** How good a model is, beside what is simpler. */
export const verdictSchema = z.object({
  /** By what models are compared, without `eval_`; with the name of its set where there are several. */
  score: text,
  /** How it is averaged over classes, where that is to be said. */
  average: text.optional(),
  value: number,
  /** 95 %. */
  interval: z.tuple([z.number(), z.number()]).optional(),
  /** What was scored: rows, sentences, questions. */
  rows: z.int().min(0).optional(),
  to_beat: z.array(toBeatSchema).default([]),
  /** False where the model is no better than an answer that does not read the text. */
  learnt: z.boolean().default(true),
  /** The weightiest first. */
  findings: z.array(findingSchema).default([]),
});

export type ToBeat = z.output<typeof toBeatSchema>;
export type Finding = z.output<typeof findingSchema>;
export type Verdict = z.output<typeof verdictSchema>;

/**
 * Whether a score is no better than that of an answer which does not read the text: then the model has learnt nothing. A
 * score that is not a number is not better.
 */
export function isNoBetterThanBlind(value: number, toBeat: readonly ToBeat[], lessIsBetter = false): boolean {
  if (Number.isNaN(value)) return true;
  const sign = lessIsBetter ? -1 : 1;
  return toBeat.some((other) => other.is_blind && sign * value <= sign * blindValue(other));
}

/** What an answer scores that does not read the text: the correlation of the mean, which is undefined, counts as 0. */
export function blindValue({ value }: ToBeat): number {
  return Number.isNaN(value) ? 0 : value;
}
