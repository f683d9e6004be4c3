import { type AnsweredQuestion, squadScores } from '../../../src/scores/metrics/squad/squad-scores.ts';
import { squadV2Scores } from '../../../src/scores/metrics/squad/squad-v2-scores.ts';
import { InvalidData } from '../../../src/support/user-error.ts';
import { readQuestions } from '../../../src/tasks/question-answering/read-questions.ts';
import { isSquadV2 } from '../../../src/tasks/question-answering/squad-json.ts';
import { type ScoreKind, valuesById } from './values-by-id.ts';

/**
 * Computes SQuAD's scores: of v2.0 if the references are v2.0 or null odds are given, otherwise of v1.1. Null
 * odds above 1 mean no answer, as in the official script.
 */
export const squad: ScoreKind = {
  description: 'predictions.json against a dev JSON of v1.1 or v2.0',
  takes: ['references', 'nullOdds'],
  needs: ['references'],
  score({ predictions, references, nullOdds }, warn) {
    const answers = valuesById(predictions, 'string');
    const read = readQuestions(references!.read(), references!.name, 'texts');
    const questions = read.map((question) => ({
      id: question.id,
      answers: question.answers.map(({ text }) => text),
    }));
    if (!nullOdds && !isSquadV2(read)) {
      const missing = without(questions, answers);
      if (missing.length > 0) warn(`${missing.length} questions have no prediction and score 0.`);
      return { ...squadScores(questions, answers) };
    }
    refuseMissing(without(questions, answers), predictions.name);
    if (!nullOdds) return squadV2Scores(questions, answers);
    const odds = valuesById(nullOdds, 'number');
    refuseMissing(without(questions, odds), nullOdds.name);
    return squadV2Scores(questions, answers, { odds });
  },
};

function without(questions: readonly AnsweredQuestion[], by: ReadonlyMap<string, unknown>): string[] {
  return questions.filter(({ id }) => !by.has(id)).map(({ id }) => id);
}

/** Rejects missing ids, because the official v2.0 script fails on them. */
function refuseMissing(ids: readonly string[], where: string): void {
  if (ids.length === 0) return;
  const others = ids.length > 1 ? ` and ${ids.length - 1} others` : '';
  throw new InvalidData({ where, fault: `has no prediction for ${ids[0]}${others}` });
}
