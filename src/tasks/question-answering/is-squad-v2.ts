import type { AnsweredText } from './question.ts';

/** Whether questions follow SQuAD v2.0, where some may have no answer: the file says so, or one has none. */
export function isSquadV2(questions: readonly Pick<AnsweredText, 'answers' | 'ofV2'>[]): boolean {
  return questions.some(({ answers, ofV2 }) => ofV2 || answers.length === 0);
}
