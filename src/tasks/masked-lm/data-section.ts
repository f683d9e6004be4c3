import { z } from 'zod';
import { type Problem, shown } from '../../support/user-error.ts';
import { languageData } from '../language/data-section.ts';

const share = z.number().min(0).max(1);

/** Data of a masked language model. Names as in transformers' `DataCollatorForLanguageModeling`. */
export const maskedDataSchema = z.strictObject({
  ...languageData,
  /** Share of tokens to predict. */
  mlm_probability: z.number().gt(0).lt(1).default(0.15),
  /** Share of the predicted tokens that are replaced by the mask token. */
  mask_replace_prob: share.default(0.8),
  /** Share of the predicted tokens that are replaced by a random token. The rest stay unchanged. */
  random_replace_prob: share.default(0.1),
  /** Mask all tokens of a word together. */
  whole_word_mask: z.boolean().default(false),
});

export type MaskedData = z.output<typeof maskedDataSchema>;

/** Finds shares that sum to more than 1. */
export function maskingProblems({ mask_replace_prob, random_replace_prob }: MaskedData): Problem[] {
  const sum = mask_replace_prob + random_replace_prob;
  if (sum <= 1) return [];
  const fault = `and mask_replace_prob sum to ${shown(sum)}`;
  return [{ path: ['data', 'random_replace_prob'], fault, hint: 'Their sum must be at most 1.' }];
}
