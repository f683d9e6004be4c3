import { printedInPython, textsInPython } from '../../program/modalities/in-python.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import { type Baseline, firstSentence } from '../../scores/baselines/baseline.ts';
import { bleu } from '../../scores/metrics/bleu.ts';
import { rouge } from '../../scores/metrics/rouge.ts';
import { hasWordHead } from '../language/language-task.ts';
import type { EncodingContext } from '../prediction.ts';
import { withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { pairEvaluation } from './pair-evaluation.ts';
import { pairExamples } from './pair-examples.ts';
import { predictTexts, type Source } from './predict-texts.ts';
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
  recognises(model) {
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
