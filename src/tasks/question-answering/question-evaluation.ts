import { type JsonObject, ownValue, typeName } from '../../input/data/json-lines.ts';
import type { RowProblem } from '../../input/data/rows.ts';
import { groupsOf } from '../../input/data/split-rows.ts';
import type { Evaluation, Scores } from '../../program/example-set.ts';
import { textsOf } from '../../program/modalities/texts.ts';
import { meanCrossEntropy } from '../../scores/metrics/classes.ts';
import { meanInterval, shareInterval } from '../../scores/metrics/score-interval.ts';
import { squadScores } from '../../scores/metrics/squad/squad-scores.ts';
import { squadV2Scores } from '../../scores/metrics/squad/squad-v2-scores.ts';
import { listNames } from '../../support/text.ts';
import type { EncodingContext } from '../prediction.ts';
import { type BestSpans, bestSpans, predictSpans, type SpanLogits } from './best-spans.ts';
import type { QuestionData } from './data-section.ts';
import type { AnsweredText, Question } from './question.ts';
import { isSquadV2 } from './question-entries.ts';
import { type QuestionExamples, questionExamples } from './question-examples.ts';

/** An answer in a file. */
export interface RawAnswer {
  text: string;
  /** `answer_start`, if present. */
  start?: number;
}

/**
 * Reads the answers of a question: a list of `{text, answer_start}` as in SQuAD, `{text: [], answer_start: []}` as on
 * the Hub, or one text under `answer`. Returns a problem if they have another form.
 */
export function readAnswers(question: JsonObject): RawAnswer[] | RowProblem {
  const answers = ownValue(question, 'answers');
  const answer = ownValue(question, 'answer');
  if (answers === undefined && typeof answer === 'string') return [{ text: answer }];
  if (answers === undefined && ownValue(question, 'is_impossible') === true) return [];
  if (answers === undefined) {
    return { kind: 'answers', fault: `has no "answers", only ${listNames(Object.keys(question))}` };
  }
  if (Array.isArray(answers)) return listed(answers);
  if (typeof answers !== 'object' || answers === null)
    return { needs: '"answers" with "text" and "answer_start"', got: typeName(answers) };
  const texts = ownValue(answers as JsonObject, 'text');
  const starts = ownValue(answers as JsonObject, 'answer_start') ?? [];
  if (!Array.isArray(texts)) return { needs: 'a list of "text" in "answers"', got: typeName(texts) };
  if (!Array.isArray(starts))
    return { needs: 'a list of "answer_start" in "answers"', got: typeName(starts) };
  if (starts.length !== 0 && starts.length !== texts.length) {
    return { kind: 'starts', fault: `has ${starts.length} "answer_start" for ${texts.length} "text"` };
  }
  return listed(texts.map((text, i) => ({ text, answer_start: starts[i] })));
}

function listed(answers: readonly unknown[]): RawAnswer[] | RowProblem {
  const read: RawAnswer[] = [];
  for (const answer of answers) {
    const object = Object(answer) as JsonObject;
    const [text, start] = [ownValue(object, 'text'), ownValue(object, 'answer_start')];
    if (typeof text !== 'string') return { needs: 'a string in "text" of an answer', got: typeName(text) };
    const isPlace = typeof start === 'number' && Number.isInteger(start) && start >= 0;
    if (start !== undefined && !isPlace) {
      const got = typeof start === 'number' ? `${start}` : typeName(start);
      return { needs: 'a whole number from 0 in "answer_start"', got };
    }
    read.push({ text, start });
  }
  return read;
}

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
  const set = questionExamples(questions, textsOf(modality), reading.doc_stride, true);
  const version_2_with_negative = reading.version_2_with_negative ?? isSquadV2(questions);
  const search = { ...reading, version_2_with_negative };
  const groups = groupsOf(questions.map(({ context }) => [context]));
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
