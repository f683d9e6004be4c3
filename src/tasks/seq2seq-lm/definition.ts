import { groupEqualTexts } from '../../input/data/split-rows.ts';
import type { Evaluation, Scores } from '../../program/example-set.ts';
import { printedInPython, textsInPython } from '../../program/modalities/in-python.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import { type Baseline, firstSentence } from '../../scores/baselines/baseline.ts';
import { bleu } from '../../scores/metrics/bleu.ts';
import { ROUGE_TYPES, rouge, rougeOfText } from '../../scores/metrics/rouge.ts';
import { bootstrap, meanInterval } from '../../scores/metrics/score-interval.ts';
import { hasWordHead, lossEvaluation } from '../language/language-task.ts';
import { withGenerator } from '../language/write-texts.ts';
import type { EncodingContext } from '../prediction.ts';
import { withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { pairExamples } from './pair-examples.ts';
import { predictTexts, type Source, writeTargets, writingConfig } from './predict-texts.ts';
import { type Pair, type PairData, pairDataSchema, readPairs } from './read-pairs.ts';

/** Maximum number of characters copied from a source. The time for ROUGE grows with the product of both lengths. */
const MAX_COPIED = 4000;

/** Generates a text from another with an encoder-decoder: a summary, a translation, a description. */
export const seq2seqLm: TaskDefinition<PairData, readonly Pair[], Source, typeof pairDataSchema> = {
  data: pairDataSchema,
  guess: {
    keys: [{ text: 'source', text_pair: 'target' }],
    fits({ label, pair }) {
      if (label || pair === undefined) return undefined;
      const score = { written: 1, unknown: 0.5, answered: -0.1, compared: 0.5 }[pair];
      return { score };
    },
    learns: ({ text, pair }) => `write ${pair} for ${text}`,
  },
  training: {
    modelToTry: 'google/flan-t5-small',
    batchSize: { train: 8, eval: 8 },
    keepsHead: true,
    smoothsLabels: true,
  },
  scores: {
    metrics: ['rougeL', 'rouge1', 'rouge2', 'rougeLsum', 'bleu', 'loss'],
    metricsOf: ({ predict_with_generate: writes }) => (writes ? seq2seqLm.scores.metrics : ['loss']),
    tellsAnswers: ({ predict_with_generate: writes }) => writes,
  },
  files: {
    countRows: (pairs) => pairs.length,
    takesFolders: false,
    read: (files, reading) => files.flatMap((file) => readPairs(file.read(), file.name, reading, true)),
    join: (parts) => parts.flat(),
    // Many sources may have the same target, such as the name of a class.
    splittable: (pairs) => ({
      texts: pairs.map(({ source }) => [source]),
      pick: (numbers) => numbers.map((number) => pairs[number]!),
    }),
    withFlags: (reading, flags) => withFlags(pairDataSchema, reading, flags, 'pairs of texts'),
  },
  length: {
    key: 'max_source_length',
  },
  build: () => tokenModel('SEQ_2_SEQ_LM'),
  examples: pairExamples,
  evaluation: pairEvaluation,
  baselines: {
    ofRows: copyBaselines,
  },
  prediction: predictTexts,
  recognizes(model) {
    const isOne =
      model.taskType === 'SEQ_2_SEQ_LM' ||
      hasWordHead(model, model.definition.heads.SEQ_2_SEQ_LM?.architecture);
    return isOne ? { labels: [], data: {} } : undefined;
  },
  words: {
    name: 'sequence to sequence',
    trainedFor: () => 'writing texts from texts',
    hub: { pipeline: 'text2text-generation', name: 'Text-to-Text Generation' },
    use: () => ({
      command: 'adalora predict . texts.txt',
      explanation: 'a line of JSON with the text written of each line of the file',
    }),
    python: ({ source_prefix = '', max_length }) => ({
      autoModel: 'AutoModelForSeq2SeqLM',
      lines: [
        textsInPython(JSON.stringify(`${source_prefix}Some text`), max_length),
        printedInPython('model.generate(**inputs)[0]'),
      ],
    }),
  },
};

/** The baselines of generated texts: the first sentence of the source, and the source itself. */
function copyBaselines(
  _: unknown,
  pairs: readonly Pair[],
  { reading }: Pick<EncodingContext<PairData>, 'reading'>,
): Baseline[] {
  if (!reading.predict_with_generate) return [];
  const targets = pairs.map((pair) => pair.targets);
  const scores = (write: (source: string) => string) => {
    const texts = pairs.map(({ source }) => write(source));
    return { ...rouge(texts, targets), bleu: bleu(texts, targets) };
  };
  return [
    { name: 'the first sentence', isBlind: false, scores: scores(firstSentence) },
    {
      name: 'a copy of the source',
      isBlind: false,
      scores: scores((source) => source.slice(0, MAX_COPIED)),
    },
  ];
}

/**
 * Scores a model by the loss of the targets, with equal weight for each token. With `predict_with_generate`, also by
 * the texts that it generates: ROUGE (0 to 1), BLEU (0 to 100) and `eval_gen_len`, their mean number of tokens.
 */
function pairEvaluation(
  pairs: readonly Pair[],
  context: EncodingContext<PairData>,
  batchSize: number,
): Evaluation {
  const examples = pairExamples(pairs, context);
  const byLoss = lossEvaluation(examples, batchSize);
  if (context.reading.predict_with_generate) writingConfig(context);
  return {
    ...byLoss,
    async run(program, values, watch): Promise<Scores> {
      const writes = context.reading.predict_with_generate;
      const scores = await byLoss.run(program, values, writes ? undefined : watch);
      const eval_loss = scores.eval_loss!;
      if (!writes) return { eval_loss };
      const sources = pairs.map(({ source }) => source);
      const written = await withGenerator(program, values, context, (generator) =>
        writeTargets(generator, program.communicator, sources, context, batchSize),
      );
      const texts = written.map(({ text }) => text);
      const targets = pairs.map((pair) => pair.targets);
      const groups = groupEqualTexts(sources.map((source) => [source]));
      watch?.onAnswers?.(texts, targets);
      watch?.onCertainty?.({
        groups,
        interval(score) {
          if (score === 'bleu')
            return bootstrap(groups, (rows) => {
              const pick = <T>(all: readonly T[]) => Array.from(rows, (row) => all[row]!);
              return bleu(pick(texts), pick(targets));
            });
          const type = ROUGE_TYPES.find((name) => name === score);
          if (!type) return undefined;
          const each = texts.map((text, i) => rougeOfText(text, targets[i]!)[type].fmeasure);
          return meanInterval(each, groups);
        },
      });
      const { rouge1, rouge2, rougeL, rougeLsum } = rouge(texts, targets);
      return {
        eval_loss,
        eval_rouge1: rouge1,
        eval_rouge2: rouge2,
        eval_rougeL: rougeL,
        eval_rougeLsum: rougeLsum,
        eval_bleu: bleu(texts, targets),
        eval_gen_len: written.reduce((sum, { ids }) => sum + ids.length, 0) / written.length,
      };
    },
  };
}
