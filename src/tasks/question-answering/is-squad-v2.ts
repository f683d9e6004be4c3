import type { AnsweredText } from './question.ts';

/**
 * Whether questions follow SQuAD v2.0, which has questions without an answer. Either the file declares it, or a
 * question has no answer.
 */
export function isSquadV2(questions: readonly Pick<AnsweredText, 'answers' | 'ofV2'>[]): boolean {
  return questions.some(({ answers, ofV2 }) => ofV2 || answers.length === 0);
}
