import { z } from 'zod';
import type { Problem } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';

/** Files with questions, and how answers are found. Names and defaults as in transformers' run_qa.py. */
export const questionDataSchema = z.strictObject({
  /** SQuAD JSON (v1.1 or v2.0), or JSON Lines with `question`, `context` and `answers`. */
  ...dataFileKeys,
  /** Whether a question may have no answer. Default: detected from the training questions. */
  version_2_with_negative: z.boolean().optional(),
  /** Maximum number of tokens of an example: question, window of the context, special tokens. */
  max_length: z.int().min(1).default(384),
  /** Overlap of two windows of a long context, in tokens. */
  doc_stride: z.int().min(0).default(128),
  /** Number of candidate answers per question. */
  n_best_size: z.int().min(1).default(20),
  /** Maximum number of tokens of an answer. */
  max_answer_length: z.int().min(1).default(30),
  /** Predict "no answer" if its score exceeds that of the best answer by more than this. */
  null_score_diff_threshold: z.number().default(0),
});

export type QuestionData = z.output<typeof questionDataSchema>;

export function strideProblems({ doc_stride, max_length }: QuestionData): Problem[] {
  if (doc_stride < max_length) return [];
  const expected = `less than data.max_length (${max_length})`;
  return [{ path: ['data', 'doc_stride'], expected, got: `${doc_stride}` }];
}
