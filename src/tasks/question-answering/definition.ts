import { z } from 'zod';
import { groupEqualTexts } from '../../input/data/split-rows.ts';
import type { Evaluation, Scores } from '../../program/example-set.ts';
import { textsInPython } from '../../program/modalities/in-python.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { spanModel } from '../../program/objectives/span-model.ts';
import { type Baseline, firstSentence } from '../../scores/baselines/baseline.ts';
import { meanCrossEntropy } from '../../scores/metrics/classes.ts';
import { meanInterval, shareInterval } from '../../scores/metrics/score-interval.ts';
import { squadScores } from '../../scores/metrics/squad/squad-scores.ts';
import { squadV2Scores } from '../../scores/metrics/squad/squad-v2-scores.ts';
import { InvalidData, type Problem, UserError } from '../../support/user-error.ts';
import { percent, shortest } from '../classes/labels.ts';
import { dataFileKeys } from '../data-files.ts';
import type { EncodingContext } from '../prediction.ts';
import { STANDARD_INPUT, withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { type BestSpans, bestSpans, predictSpans, type SpanLogits } from './best-spans.ts';
import {
  type AnsweredText,
  type Question,
  type QuestionExamples,
  questionExamples,
} from './question-examples.ts';
import { readQuestions } from './read-questions.ts';
import { isSquadV2, nbestRows, squadFiles } from './squad-json.ts';

/** Files with questions, and how answers are found. Names and defaults as in transformers' run_qa.py. */
const questionDataSchema = z.strictObject({
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

type QuestionData = z.output<typeof questionDataSchema>;

function strideProblems({ doc_stride, max_length }: QuestionData): Problem[] {
  if (doc_stride < max_length) return [];
  const expected = `less than data.max_length (${max_length})`;
  return [{ path: ['data', 'doc_stride'], expected, got: `${doc_stride}` }];
}

/** A question to answer. Only SQuAD's files need ids. */
export type QuestionInput = Omit<Question, 'id'> & { id?: string };

/** A model's answer. */
export interface SpanAnswer {
  /** The id of the input, if it has one. */
  id?: string;
  /** Empty for no answer. */
  answer: string;
  /** The answer's probability among the kept spans. */
  score: number;
  /** The answer's code points in the context are [start, end), as `answer_start` counts them. */
  start: number;
  end: number;
  found: BestSpans;
}

/** Predicts the span of a text that answers a question. */
export const questionAnswering: TaskDefinition<
  QuestionData,
  readonly AnsweredText[],
  QuestionInput,
  typeof questionDataSchema
> = {
  data: questionDataSchema,
  problems: strideProblems,
  guess: {
    ofFile: (_, start) =>
      /^\s*\{\s*"version"\s*:\s*"[^"]*"\s*,\s*"data"\s*:\s*\[/.test(start) ||
      /^\s*\{\s*"data"\s*:\s*\[.*"(paragraphs|context)"\s*:/s.test(start)
        ? 'the format of SQuAD'
        : undefined,
    ofColumns(columns) {
      const [question, context, answers] = ['question', 'context', 'answers'].map((key) =>
        columns.find(({ name }) => name === key),
      );
      return question && context && answers?.nested
        ? 'rows have "question", "context" and "answers"'
        : undefined;
    },
    plain: 'find the answer to a question in its context',
  },
  training: {
    batchSize: { train: 16, eval: 32 },
  },
  scores: {
    metrics: ['f1', 'exact_match', 'loss'],
    tellsAnswers: () => true,
  },
  files: {
    countRows: (questions) => questions.length,
    takesFolders: false,
    read: (files) => files.flatMap((file) => readQuestions(file.read(), file.name, 'places')),
    join: (parts) => parts.flat(),
    // All questions about a text stay together. The same question may be asked about many texts.
    splittable: (questions) => ({
      texts: questions.map(({ context }) => [context]),
      pick: (numbers) => numbers.map((number) => questions[number]!),
    }),
    detected: (questions, { version_2_with_negative }) => ({
      version_2_with_negative: version_2_with_negative ?? isSquadV2(questions),
    }),
    withFlags: (reading, flags) => withFlags(questionDataSchema, reading, flags, 'task question_answering'),
  },
  build: () => spanModel,
  examples: (questions, { modality, reading }) =>
    questionExamples(questions, requireTexts(modality), reading.doc_stride, true),
  evaluation: questionEvaluation,
  baselines: {
    ofRows: answerBaselines,
  },
  prediction: {
    input: {
      parse: (content, fileName) =>
        fileName === undefined ? typedQuestions(content) : readQuestions(content, fileName, 'none'),
      shape: () => ({
        keys: { question: { is: 'a string' }, context: { is: 'a string' } },
        others: ['id', 'answers', 'ofV2'],
      }),
    },
    async answer(inputs, { program, values }, { reading, modality }, batchSize) {
      const questions = inputs.map((input, i) => ({ ...input, id: input.id ?? `${i}` }));
      const empty = questions.find(({ context }) => context.trim() === '');
      if (empty) {
        const where = `question ${empty.id}`;
        throw new InvalidData({ where, fault: 'has an empty "context"' });
      }
      const set = questionExamples(questions, requireTexts(modality), reading.doc_stride, false);
      const logits = await predictSpans(program, values, set, batchSize);
      return bestOfAll(questions, set, logits, reading).map((found, i): SpanAnswer => {
        const { text, probability, start, end } = found.answer;
        return { id: inputs[i]!.id, answer: text, score: probability, start, end, found };
      });
    },
    output: {
      json(answer, details) {
        const { found, score, ...rest } = answer as SpanAnswer;
        return {
          ...rest,
          score: shortest(score),
          ...(details && { null_odds: found.nullOdds, nbest: nbestRows(found) }),
        };
      },
      describe(answer) {
        const { answer: text, score } = answer as SpanAnswer;
        return `${text === '' ? 'no answer' : text}, ${percent(score)}`;
      },
      files: (inputs, answers) =>
        squadFiles(
          inputs.map(({ id }, i) => id ?? `${i}`),
          answers.map((answer) => (answer as SpanAnswer).found),
        ),
    },
    served: {
      input(question, context) {
        if (context !== undefined) return { question, context };
        throw new UserError({
          where: 'inputs',
          fault: 'must be a question and its context, got one text',
          code: 'invalid_argument',
        });
      },
      answer(answer) {
        const { answer: text, score, start, end } = answer as SpanAnswer;
        return { answer: text, score: shortest(score), start, end };
      },
    },
  },
  recognizes({ taskType, definition, architecture }) {
    const head = definition.heads.QUESTION_ANS;
    const isModel = taskType === undefined && head !== undefined && architecture === head.architecture;
    return isModel || taskType === 'QUESTION_ANS' ? { labels: [], data: {} } : undefined;
  },
  words: {
    name: 'question answering',
    trainedFor: () => 'question answering',
    hub: { pipeline: 'question-answering', name: 'Question Answering' },
    use: () => ({
      command: 'adalora predict . questions.jsonl',
      explanation: 'a line of JSON with the answer for each line with a `question` and its `context`',
    }),
    python: ({ max_length }) => ({
      autoModel: 'AutoModelForQuestionAnswering',
      lines: [
        'question, text = "Who?", "Some text"',
        textsInPython('question, text', max_length, '"only_second"'),
        '# PEFT 0.21 passes no token_type_ids on to the model of an adapter: model.base_model(**inputs) does.',
        'outputs = model(**inputs)',
        'start, end = outputs.start_logits.argmax(-1), outputs.end_logits.argmax(-1)',
      ],
    }),
  },
};

/** Reads questions from standard input: JSON as in a file, or lines with a question, a tab and its context. */
function typedQuestions(content: string): Question[] {
  if (/^\s*[{[]/.test(content)) return readQuestions(content, STANDARD_INPUT, 'none');
  return content.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const tab = line.indexOf('\t');
    const [question, context] = [line.slice(0, tab), line.slice(tab + 1).trim()];
    if (tab >= 0 && context !== '') return [{ id: `${i}`, question, context }];
    const where = `${STANDARD_INPUT}:${i + 1}`;
    throw new InvalidData({ where, fault: 'must be a question, a tab and a text' });
  });
}

/**
 * The baselines of questions: the first sentence of the context. If a question may have no answer, also "no answer".
 */
function answerBaselines(_: unknown, questions: readonly AnsweredText[]): Baseline[] {
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

/**
 * Scores answers like SQuAD's official scripts, as `eval_exact_match` and `eval_f1`. `eval_loss` is the mean over
 * features, without padding. If questions may have no answer, it adds scores of questions with and without an answer,
 * and the best scores over all thresholds.
 */
function questionEvaluation(
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
  const byId = <T>(value: (spans: BestSpans) => T) =>
    new Map(asked.map(({ id }, i) => [id, value(best[i]!)]));
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
    const side = (logits: Float32Array, label: number) =>
      meanCrossEntropy(logits, logits.length, Int32Array.of(label));
    return (side(start, labels[i]!.start) + side(end, labels[i]!.end)) / 2;
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
