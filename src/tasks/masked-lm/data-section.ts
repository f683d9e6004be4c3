import { z } from 'zod';
import { type Problem, shown } from '../../support/problem.ts';
import { languageData } from '../language/data-section.ts';

const share = z.number().min(0).max(1);

/** What a masked language model learns from. Names as in transformers' `DataCollatorForLanguageModeling`. */
export const maskedDataSchema = z.strictObject({
  ...languageData,
  /** Share of tokens to predict. */
  mlm_probability: z.number().gt(0).lt(1).default(0.15),
  /** Share of those that the mask token stands for, and share that a random token stands for. */
  mask_replace_prob: share.default(0.8),
  /** Share of them that a random token stands for; the others stay. */
  random_replace_prob: share.default(0.1),
  /** Whether all tokens of a word are masked, or none. */
  whole_word_mask: z.boolean().default(false),
});

export type MaskedData = z.output<typeof maskedDataSchema>;

/** Shares of more than everything. */
export function maskingProblems({ mask_replace_prob, random_replace_prob }: MaskedData): Problem[] {
  const sum = mask_replace_prob + random_replace_prob;
  if (sum <= 1) return [];
  const expected = 'at most 1 together with mask_replace_prob';
  return [{ path: ['data', 'random_replace_prob'], expected, got: shown(sum) }];
}
