import type { Evaluation, Scores } from '../../program/example-set.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { rerankingModel } from '../../program/objectives/reranking-model.ts';
import { batchLosses, predictRows } from '../../program/predict-batches.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { Bm25 } from '../../scores/baselines/bm25.ts';
import { RANKED, rankScores } from '../../scores/metrics/retrieval-scores.ts';
import { unitsInterval } from '../../scores/metrics/score-interval.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import { mean } from '../../support/numbers.ts';
import { classNameKeys, classOutputs, readClassNames, shortest } from '../classes/labels.ts';
import type { LabeledData } from '../labeled/data-section.ts';
import type { TextInput } from '../labeled/read-inputs.ts';
import type { EncodingContext, Prediction, ReadingOf } from '../prediction.ts';
import { regression, type ScoreAnswer } from '../regression/definition.ts';
import { withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import {
  type Context,
  compareVectors,
  PairSet,
  type RankedQuery,
  rankedQueries,
  rerankingExamples,
} from './reranking-examples.ts';
import {
  chooseRankingLoss,
  detectLoss,
  type RerankingData,
  type RerankingRows,
  rerankingDataSchema,
  rerankingProblems,
  rerankingRows,
} from './reranking-rows.ts';

/** The function that CrossEncoder of sentence-transformers applies to the logit. */
const ACTIVATION = 'torch.nn.modules.activation.Sigmoid';

/** Scores how well a text answers a query: a cross-encoder, for the second stage of a search. */
export const reranking: TaskDefinition<RerankingData, RerankingRows, TextInput, typeof rerankingDataSchema> =
  {
    data: rerankingDataSchema,
    problems: rerankingProblems,
    guess: {
      keys: [
        { text: 'query', text_pair: 'positive', negative: 'negative' },
        { text: 'query', text_pair: 'text', label: 'label' },
      ],
      labels: 'number',
      takesLists: true,
      fits({ label, pair, isQuery, isShared }) {
        const isList = label?.nested === 'list' && !label.hasWords;
        if (pair === undefined || (label && !label.isNumeric && !isList)) return undefined;
        // Pairs without labels are for embeddings, unless the user names the task: a reranker needs a search before it.
        const [low, high] = label?.range ?? [];
        const isGraded = isList || (low! >= 0 && (isShared || high! <= 1));
        const isRelevance = isQuery && pair === 'answered' && isGraded;
        return { score: isRelevance ? 5.5 : -9, reason: 'the labels say how well they match' };
      },
      learns: ({ text, pair }) => `rank ${pair} for a ${text}`,
    },
    training: { batchSize: { train: 16, eval: 64 } },
    scores: { metrics: [...RANKED, 'loss'], tellsAnswers: () => true },
    classes: {
      labels: () => [],
      keys: () => ({ ...classNameKeys(['LABEL_0']), sentence_transformers: { activation_fn: ACTIVATION } }),
    },
    files: {
      countRows: ({ rows }) => rows.length,
      takesFolders: false,
      read: rerankingRows,
      join: (parts) => ({ fileName: parts[0]!.fileName, rows: parts.flatMap(({ rows }) => rows) }),
      splittable: ({ rows, whole = rows, fileName }) => ({
        texts: rows.map(({ query }) => [query]),
        pick: (numbers) => ({ fileName, rows: numbers.map((number) => rows[number]!), whole }),
      }),
      detected: detectLoss,
      withFlags: (reading, flags) => withFlags(rerankingDataSchema, reading, flags, 'queries and texts'),
    },
    preparation: { name: 'vectors 1', compute: compareVectors },
    build: (_, reading = {}) =>
      rerankingModel({ kind: chooseRankingLoss(reading), scale: reading.scale ?? 10 }),
    examples: rerankingExamples,
    evaluation: rerankingEvaluation,
    baselines: { ofRows: orderBaselines },
    prediction: pairPrediction(),
    recognizes(model) {
      const settings = model.json.sentence_transformers as { activation_fn?: unknown } | undefined;
      const isSingle = readClassNames(model, classOutputs(model)).length === 1;
      return isSingle && settings?.activation_fn === ACTIVATION
        ? { labels: [], data: { query: 0, text: 1 } }
        : undefined;
    },
    words: {
      ...regression.words,
      name: 'reranking',
      trainedFor: () => 'ranking of texts for a query',
      hub: { pipeline: 'text-ranking', name: 'Reranking' },
      medium: () => undefined,
      use: (data) => regression.words.use(asPairs(data)),
      python: ({ max_length, ...data }, result) => {
        const use = regression.words.python({ ...asPairs(data), max_length }, result);
        return { ...use, lines: [...use.lines, 'score = logits.sigmoid()'] };
      },
    },
  };

/** A section as that of pairs of texts. */
function asPairs<Data extends Partial<ReadingOf<RerankingData>>>({
  query = 'query',
  positive = 'positive',
  text = positive,
  ...layout
}: Data): ReadingOf<LabeledData> {
  const { header, quote, delimiter } = layout;
  return { text: query, text_pair: text, header, quote, delimiter } as ReadingOf<LabeledData>;
}

/** Predictions of pairs. A score is a probability. */
function pairPrediction(): Prediction<RerankingData, TextInput> {
  const { input, output, answer, served } = regression.prediction!;
  const ofPairs = (context: EncodingContext<RerankingData>): EncodingContext<LabeledData> => ({
    ...context,
    reading: asPairs(context.reading),
  });
  const scoreOf = ({ logits }: ScoreAnswer) => 1 / (1 + Math.exp(-logits[0]!));
  return {
    input: {
      parse: (content, fileName, reading, onSkipped) =>
        input.parse(content, fileName, asPairs(reading), onSkipped),
      shape: (reading) => input.shape(asPairs(reading)),
    },
    async answer(inputs, tuned, context, batchSize) {
      const answers = (await answer(inputs, tuned, ofPairs(context), batchSize)) as ScoreAnswer[];
      return answers.map((one): ScoreAnswer => ({ ...one, label: shortest(scoreOf(one)) }));
    },
    output,
    served: {
      input: (text, second, reading) => served!.input(text, second, asPairs(reading)),
      answer: (given, _text, _labels, raw) => {
        const { label, logits } = given as ScoreAnswer;
        return [{ label: 'LABEL_0', score: raw ? shortest(logits[0]!) : label }];
      },
    },
  };
}

/** Scores the order of the texts of each query. The units of intervals are queries. */
function rerankingEvaluation(rows: RerankingRows, context: Context, batchSize: number): Evaluation {
  const queries = rankedQueries(rows);
  // Vectors prepared for an evaluation are cosines, not mined negatives.
  const examples = rerankingExamples(rows, { ...context, prepared: undefined });
  const pairs = queries.flatMap(({ query, texts }) => texts.map((text) => [query, text] as const));
  const set = new PairSet(pairs, requireTexts(context.modality));
  return {
    examples,
    output: 'loss',
    async run(program, values, watch): Promise<Scores> {
      const logits = await predictRows(program, values, set.examples(), batchSize);
      const scores = queries.map(({ query, texts }) =>
        texts.map((text) => logits[set.numberOf([query, text])]![0]!),
      );
      const each = scoreQueries(queries, scores);
      const groups = Int32Array.from(queries.keys());
      watch?.onCertainty?.({
        groups,
        interval(name) {
          const values = each[name as ScoreName];
          return values && unitsInterval(values, groups);
        },
      });
      watch?.onAnswers?.(
        scores,
        queries.map(({ grades }) => grades),
      );
      const loss = program.parts.model.joint ? await meanLoss(program, values) : {};
      const means = Object.entries(each).map(([name, values]) => [`eval_${name}`, mean(values)]);
      return { ...Object.fromEntries(means), ...loss };
    },
  };

  /** In batches of the order of the file, because some losses draw texts of other rows. */
  async function meanLoss(...[program, values]: Parameters<Evaluation['run']>): Promise<Scores> {
    const all = Int32Array.from(examples.lengths.keys());
    const size = reranking.training.batchSize.train;
    const count = Math.ceil(all.length / size);
    const batches = Array.from({ length: count }, (_, i) => all.subarray(i * size, (i + 1) * size));
    const losses = await batchLosses(program, values, examples, batches);
    return { eval_loss: losses.reduce((sum, { loss, weight }) => sum + loss * weight, 0) / all.length };
  }
}

/** For each score, its value of each query. */
function scoreQueries(
  queries: readonly RankedQuery[],
  scores: readonly ArrayLike<number>[],
): Partial<Record<ScoreName, number[]>> {
  const each = queries.map(({ grades, relevant }, i) => rankScores(scores[i]!, grades, relevant));
  return Object.fromEntries(RANKED.map((name) => [name, each.map((of) => of[name])]));
}

/** The orders of BM25 and of the model's own vectors before training. */
function orderBaselines(
  learned: RerankingRows,
  rows: RerankingRows,
  { prepared, reading }: Pick<Context, 'prepared' | 'reading'>,
): Baseline[] {
  const isListed = reading.text !== undefined && learned.rows.some(({ texts }) => texts.length > 1);
  const vectorsInstead = ` Train vectors on these instead: adalora train ${learned.fileName} --task sentence_embedding, with the same --model.`;
  const remedy = `A reranker needs many more rows.${isListed ? '' : vectorsInstead}`;
  const queries = rankedQueries(rows);
  const { rows: own, whole = own } = rows;
  const texts = [...new Set(whole.flatMap((row) => row.texts))];
  const places = new Map(texts.map((text, number) => [text, number]));
  const words = new Bm25(texts);
  const ofWords = queries.map(({ query, texts }) => {
    const scores = words.scores(query);
    return texts.map((text) => scores[places.get(text)!]!);
  });
  const vectors = prepared && queries.map(({ row }) => prepared[row]!);
  const hasVectors = vectors?.every(({ length }, i) => length === queries[i]!.texts.length) ?? false;
  const named = (name: string, scores: readonly ArrayLike<number>[]): Baseline => ({
    name,
    isBlind: false,
    scores: Object.fromEntries(
      Object.entries(scoreQueries(queries, scores)).map(([score, values]) => [score, mean(values)]),
    ),
    remedy,
  });
  return [
    ...(hasVectors ? [named('the order of the model’s vectors before training', vectors!)] : []),
    named('BM25', ofWords),
  ];
}
