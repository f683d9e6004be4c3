import type { AnsweredText } from './question.ts';

/** Whether questions are those of SQuAD v2.0, of which some may have no answer: so they say, or one has none. */
export function isSquadV2(questions: readonly Pick<AnsweredText, 'answers' | 'ofV2'>[]): boolean {
  return questions.some(({ answers, ofV2 }) => ofV2 || answers.length === 0);
}
