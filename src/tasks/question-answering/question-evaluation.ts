import { groupEqualTexts } from '../../input/data/split-rows.ts';
import type { Evaluation, Scores } from '../../program/example-set.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { meanCrossEntropy } from '../../scores/metrics/classes.ts';
import { meanInterval, shareInterval } from '../../scores/metrics/score-interval.ts';
import { squadScores } from '../../scores/metrics/squad/squad-scores.ts';
import { squadV2Scores } from '../../scores/metrics/squad/squad-v2-scores.ts';
import type { EncodingContext } from '../prediction.ts';
import { type BestSpans, bestSpans, predictSpans, type SpanLogits } from './best-spans.ts';
import type { QuestionData } from './data-section.ts';
import type { AnsweredText, Question } from './question.ts';
import { type QuestionExamples, questionExamples } from './question-examples.ts';
import { isSquadV2 } from './squad-json.ts';

/**
 * Scores answers like SQuAD's official scripts, as `eval_exact_match` and `eval_f1`. `eval_loss` is the mean over
 * features, without padding. If questions may have no answer, it adds scores of questions with and without an answer,
 * and the best scores over all thresholds.
 */
export function questionEvaluation(
  questions: readonly AnsweredText[],
  { reading, modality }: EncodingContext<QuestionData>,
  batchSize: number,
): Evaluation {
  const set = questionExamples(questions, requireTexts(modality), reading.doc_stride, true);
  const version_2_with_negative = reading.version_2_with_negative ?? isSquadV2(questions);
  const search = { ...reading, version_2_with_negative };
  const groups = groupEqualTexts(questions.map(({ context }) => [context]));
  return {
    examples: set,
    output: 'logits',
    async run(program, values, watch) {
      const logits = await predictSpans(program, values, set, batchSize);
      const best = bestOfAll(questions, set, logits, search);
      watch?.onAnswers?.(
        best.map(({ answer }) => answer.text),
        questions.map(({ answers }) => answers.map(({ text }) => text)),
      );
      watch?.onCertainty?.({
        groups,
        interval: (score) => answerInterval(questions, best, groups, score),
      });
      return { eval_loss: meanLoss(logits, set), ...answerScores(questions, best) };
    },
  };
}

/** The best spans of each question. */
export function bestOfAll(
  questions: readonly Question[],
  set: QuestionExamples,
  logits: readonly SpanLogits[],
  search: Parameters<typeof bestSpans>[2],
): BestSpans[] {
  const windows = questions.map((): Parameters<typeof bestSpans>[0][number][] => []);
  set.questions.forEach((question, i) => {
    windows[question]!.push({ feature: set.features[i]!, logits: logits[i]! });
  });
  return questions.map(({ context }, question) => bestSpans(windows[question]!, context, search));
}

function answerScores(questions: readonly AnsweredText[], best: readonly BestSpans[]): Scores {
  const asked = questions.map(({ id, answers }) => ({ id, answers: answers.map(({ text }) => text) }));
  const byId = <T>(value: (of: BestSpans) => T) => new Map(asked.map(({ id }, i) => [id, value(best[i]!)]));
  const predictions = byId(({ answer }) => answer.text);
  if (!isSquadV2(questions) && best[0]!.nullOdds === undefined) {
    const { exact_match, f1 } = squadScores(asked, predictions);
    return { eval_exact_match: exact_match, eval_f1: f1 };
  }
  const odds = best[0]!.nullOdds === undefined ? undefined : byId(({ nullOdds }) => nullOdds!);
  const { exact, f1, ...others } = squadV2Scores(asked, predictions, odds && { odds });
  const scores: Scores = { eval_exact_match: exact, eval_f1: f1 };
  for (const [name, score] of Object.entries(others)) {
    if (!name.endsWith('total')) scores[`eval_${name}`] = score;
  }
  return scores;
}

/** The confidence interval of a score that is a mean over questions. */
function answerInterval(
  questions: readonly AnsweredText[],
  best: readonly BestSpans[],
  groups: Int32Array,
  score: string,
) {
  if (score !== 'f1' && score !== 'exact_match') return undefined;
  const each = questions.map((question, i) => answerScores([question], [best[i]!])[`eval_${score}`]!);
  if (score === 'f1') return meanInterval(each, groups);
  return shareInterval(each, groups);
}

function meanLoss(logits: readonly SpanLogits[], { labels }: QuestionExamples): number {
  const losses = logits.map(({ start, end }, i) => {
    const side = (of: Float32Array, label: number) => meanCrossEntropy(of, of.length, Int32Array.of(label));
    return (side(start, labels[i]!.start) + side(end, labels[i]!.end)) / 2;
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
