import type { Baseline } from '../../baselines/baseline.ts';
import { firstSentence } from '../../baselines/first-sentence.ts';
import { squadScores } from '../../metrics/squad/squad-scores.ts';
import { squadV2Scores } from '../../metrics/squad/squad-v2-scores.ts';
import { isSquadV2 } from './is-squad-v2.ts';
import type { AnsweredText } from './question.ts';

/**
 * The baselines of questions: the first sentence of the context. If a question may have no answer, also "no answer".
 */
export function answerBaselines(_: unknown, questions: readonly AnsweredText[]): Baseline[] {
  const asked = questions.map(({ id, answers }) => ({ id, answers: answers.map(({ text }) => text) }));
  const mayBeEmpty = isSquadV2(questions);
  const scores = (answerOf: (question: AnsweredText) => string) => {
    const predictions = new Map(questions.map((question) => [question.id, answerOf(question)]));
    if (!mayBeEmpty) return squadScores(asked, predictions);
    const { exact, f1 } = squadV2Scores(asked, predictions);
    return { exact_match: exact, f1 };
  };
  return [
    {
      name: 'the first sentence',
      isBlind: false,
      scores: scores(({ context }) => firstSentence(context)),
    },
    ...(mayBeEmpty ? [{ name: 'never an answer', isBlind: true, scores: scores(() => '') }] : []),
  ];
}
