import { textsInPython } from '../../program/modalities/in-python.ts';
import { type EmbeddingLoss, embeddingModel } from '../../program/objectives/embedding-model.ts';
import { hasScoreName } from '../guess/columns.ts';
import { withPooling } from '../sentence-vectors.ts';
import { withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import {
  chooseLoss,
  type EmbeddingData,
  embeddingDataSchema,
  embeddingProblems,
  findForm,
  listNegatives,
} from './data-section.ts';
import { type EmbeddedText, embedTexts } from './embed-texts.ts';
import { embeddingEvaluation, SCORES_OF } from './embedding-evaluation.ts';
import { embeddingExamples } from './embedding-examples.ts';
import {
  alikeTexts,
  type EmbeddingRows,
  embeddingRows,
  joinedRows,
  pickEmbeddingRows,
} from './embedding-rows.ts';
import { wordBaseline } from './word-baseline.ts';

/**
 * Maps a text to one vector that is close to the vectors of matching texts: for search, clustering and comparison.
 */
export const sentenceEmbedding: TaskDefinition<
  EmbeddingData,
  EmbeddingRows,
  EmbeddedText,
  typeof embeddingDataSchema
> = {
  data: embeddingDataSchema,
  problems: embeddingProblems,
  guess: {
    keys: [
      { text: 'anchor', text_pair: 'positive', negative: 'negative' },
      { text: 'text', text_pair: 'text_pair', label: 'label' },
    ],
    labels: 'number',
    fits({ label, pair }) {
      if (pair === undefined || (label && !label.isNumeric)) return undefined;
      if (!label) return { score: pair === 'written' ? -9 : 1 };
      const isRelevance = pair === 'answered' && hasScoreName(label);
      return { score: isRelevance ? 5 : -0.1, reason: 'the labels say how well they match' };
    },
    learns: ({ texts, text, pair, label }) =>
      label === undefined
        ? `find the ${pair} for a ${text}`
        : `compare ${texts}, with the similarity ${label}`,
  },
  training: {
    batchSize: { train: 32, eval: 64 },
    keepsHead: true,
    comparesRows: true,
  },
  scores: {
    metrics: ['ndcg@10', ...SCORES_OF.scored, ...SCORES_OF.pairs.slice(1, -1)],
    metricsOf: (data) => SCORES_OF[findForm(data)],
    tellsAnswers: () => true,
  },
  files: {
    countRows: ({ columns }) => columns[0]!.length,
    takesFolders: true,
    read: embeddingRows,
    join: joinedRows,
    splittable(rows) {
      const [anchors, others] = alikeTexts(rows);
      return {
        // Negatives do not count, because they are often texts of other pairs. Nor do the texts of a corpus: it is
        // searched as a whole, and only the queries are split.
        texts: anchors!.map((anchor, row) => (rows.retrieval ? [anchor] : [anchor, others?.[row]])),
        pick: (numbers) => pickEmbeddingRows(rows, numbers),
      };
    },
    withFlags: (reading, flags) => withFlags(embeddingDataSchema, reading, flags, 'texts to embed'),
    contents: ({ text, text_pair, anchor, positive, negative = [] }) =>
      [text, text_pair, anchor, positive, negative].flat().filter((column) => column !== undefined),
  },
  build: (_, reading = {}) => {
    const { matryoshka_dims: dims, matryoshka_weights: weights } = reading;
    const matryoshka = dims && { dims, weights: weights ?? dims.map(() => 1) };
    return (definition, config) =>
      embeddingModel(modelLoss(reading), matryoshka)(definition, withPooling(config, reading));
  },
  examples: embeddingExamples,
  evaluation: embeddingEvaluation,
  baselines: {
    ofRows: wordBaseline,
  },
  prediction: embedTexts,
  length: {
    ofModel: ({ sentence }) => sentence?.maxLength,
  },
  recognises({ definition, architecture, taskType, config }) {
    const head = definition.heads.FEATURE_EXTRACTION;
    if (!head) return undefined;
    const hasFiles = config.sentence !== undefined && !config.sentence.isAssumed;
    const isModel = taskType === undefined && (hasFiles || architecture === head.architecture);
    // An adapter of sentence-transformers may lack the task type.
    const isAdapter = taskType === 'FEATURE_EXTRACTION' || (taskType === null && hasFiles);
    return isModel || isAdapter
      ? { labels: [], data: { max_length: config.sentence?.maxLength } }
      : undefined;
  },
  words: {
    name: 'sentence embedding',
    trainedFor: () => 'embedding of texts',
    hub: { pipeline: 'sentence-similarity', name: 'Sentence Similarity' },
    use: () => ({
      command: 'adalora embed . texts.txt',
      explanation: 'a line of JSON with the vector of each line of the file',
    }),
    python: () => ({
      autoModel: 'AutoModel',
      lines: [
        '# Or with sentence-transformers: SentenceTransformer(BASE), then load_adapter("adapter")',
        textsInPython('"Some text"'),
        'hidden = model(**inputs).last_hidden_state',
      ],
    }),
  },
};

function modelLoss(reading: Partial<EmbeddingData>): EmbeddingLoss {
  const { scale = 20, symmetric = false, margin = 5, distance = 'euclidean' } = reading;
  switch (chooseLoss(reading)) {
    case 'multiple_negatives_ranking':
      return {
        kind: 'multiple_negatives_ranking',
        scale,
        symmetric,
        columns: listNegatives(reading).length > 0 ? 3 : 2,
        negatives: listNegatives(reading).length,
      };
    case 'cosent':
      return { kind: 'cosent', columns: 2, scale };
    case 'cosine':
      return { kind: 'cosine', columns: 2 };
    case 'triplet':
      return findForm(reading) === 'labelled'
        ? { kind: 'batch_triplets', columns: 1, margin }
        : { kind: 'triplet', columns: 3, margin, distance };
  }
}
