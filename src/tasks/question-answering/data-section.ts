import { z } from 'zod';
import type { Problem } from '../../support/problem.ts';
import { dataFiles } from '../data-files.ts';

/** Where questions about texts are, and how answers are sought. Names and defaults are those of transformers' run_qa.py. */
export const questionDataSchema = z.strictObject({
  /** JSON as SQuAD is published, v1.1 or v2.0, or rows with `question`, `context` and `answers`. */
  ...dataFiles,
  /** Whether a question may have no answer. Default: whether one of the training questions has none, or is of SQuAD v2.0. */
  version_2_with_negative: z.boolean().optional(),
  /** Tokens of an example: question, a window of the context, special ones. */
  max_length: z.int().min(1).default(384),
  /** Tokens that a window of a long context has in common with the one before. */
  doc_stride: z.int().min(0).default(128),
  /** Answers that are kept of a question. */
  n_best_size: z.int().min(1).default(20),
  /** Tokens that an answer may have. */
  max_answer_length: z.int().min(1).default(30),
  /** No answer is given where its score is above that of the best answer by more than this. */
  null_score_diff_threshold: z.number().default(0),
});

export type QuestionData = z.output<typeof questionDataSchema>;

export function strideProblems({ doc_stride, max_length }: QuestionData): Problem[] {
  if (doc_stride < max_length) return [];
  const expected = `less than data.max_length (${max_length}), as windows would not move on`;
  return [{ path: ['data', 'doc_stride'], expected, got: `${doc_stride}` }];
}
