import type { Evaluation, RowModel, ScoredRows, Scores } from '../../program/example-set.ts';
import { textsInPython } from '../../program/modalities/in-python.ts';
import { type EmbeddingLoss, embeddingModel } from '../../program/objectives/embedding-model.ts';
import { batchLosses } from '../../program/predict-batches.ts';
import type { Evaluator } from '../../program/program.ts';
import { RETRIEVAL } from '../../scores/metrics/retrieval-scores.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import { InvalidData } from '../../support/user-error.ts';
import { hasScoreName } from '../guess/columns.ts';
import { mineByVectors, readMining } from '../mine-negatives.ts';
import type { EncodingContext } from '../prediction.ts';
import { promptFor, withPooling } from '../sentence-vectors.ts';
import { withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { type ComparedVectors, RowComparison } from './compare-rows.ts';
import {
  chooseLoss,
  type EmbeddingData,
  type EmbeddingForm,
  embeddingDataSchema,
  embeddingProblems,
  findForm,
  listNegatives,
} from './data-section.ts';
import { DENSE, type EmbeddedText, embedTexts } from './embed-texts.ts';
import { chooseRole, type EmbeddingExamples, embeddingExamples, listCorpus } from './embedding-examples.ts';
import {
  alikeTexts,
  type EmbeddingRows,
  embeddingRows,
  joinedRows,
  pickEmbeddingRows,
} from './embedding-rows.ts';
import { wordBaseline } from './word-baseline.ts';

/** The scores for each form of rows, the default first: most queries of pairs have one right answer. */
const SCORES_OF: Readonly<Record<EmbeddingForm, readonly ScoreName[]>> = {
  pairs: ['accuracy@1', ...RETRIEVAL.filter((name) => name !== 'accuracy@1'), 'triplet_accuracy', 'loss'],
  retrieval: [...RETRIEVAL, 'loss'],
  scored: ['spearmanr', 'pearson', 'loss'],
  labeled: [...RETRIEVAL, 'loss'],
};

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
      if (!label) {
        const reason = 'rows have two texts and no label; --task reranking trains a reranker';
        return { score: pair === 'written' ? -9 : 1, ...(pair === 'answered' && { reason }) };
      }
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
  preparation: {
    name: 'negatives 1',
    isNeeded: ({ negatives }) => negatives !== undefined,
    compute: mineForRows,
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
  recognizes({ definition, architecture, taskType, config }) {
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
  const mined = reading.negatives ? readMining(reading.negatives).num_negatives : 0;
  const negatives = listNegatives(reading).length + mined;
  switch (chooseLoss(reading)) {
    case 'multiple_negatives_ranking':
      return {
        kind: 'multiple_negatives_ranking',
        scale,
        symmetric,
        columns: negatives > 0 ? 3 : 2,
        negatives,
      };
    case 'cosent':
      return { kind: 'cosent', columns: 2, scale };
    case 'cosine':
      return { kind: 'cosine', columns: 2 };
    case 'triplet':
      return findForm(reading) === 'labeled'
        ? { kind: 'batch_triplets', columns: 1, margin }
        : { kind: 'triplet', columns: 3, margin, distance };
  }
}

/**
 * Scores vectors by their cosines: scored pairs by correlation, all other forms by retrieval among the texts of the whole
 * file. It also computes the mean loss of batches in the order of the file.
 *
 * @throws UserError for labeled sentences if every class has one
 */
function embeddingEvaluation(
  rows: EmbeddingRows,
  context: EncodingContext<EmbeddingData>,
  batchSize: number,
): Evaluation {
  const { classes } = rows.whole ?? rows;
  if (classes && new Set(classes).size === classes.length)
    throw new InvalidData({
      where: rows.fileName,
      fault: 'has no two rows of one class, so no sentence can find another of its class',
      hint: 'Add rows to its classes.',
    });
  const examples = embeddingExamples(rows, context);
  const comparison = new RowComparison(rows);
  const all = Int32Array.from(rows.columns[0]!.keys());
  const tell: ScoredRows['tell'] = (outputs, chosen, watch) =>
    watch.onCertainty?.(comparison.certainty(outputs, chosen));
  return {
    examples,
    output: 'loss',
    compared: {
      groups: comparison.groups,
      sizeOf: () => comparison.width,
      async outputs({ program, values }, chosen) {
        const vectors = await computeVectors(rows, comparison, chosen, context, {
          program,
          values,
          batchSize,
        });
        return comparison.outputs(chosen, vectors, DENSE).map((output) => Float32Array.from(output));
      },
      scores: (outputs, chosen) => nameScores(comparison.scores(outputs, chosen)),
      tell,
    },
    async run(program, values, watch) {
      const vectors = await computeVectors(rows, comparison, all, context, { program, values, batchSize });
      const scores: Scores = {};
      // Without a run, the model has the loss for pairs. It is skipped for other forms.
      const { inputs = [] } = program.parts.model.joint ?? {};
      if (String(inputs) === String(examples.lossInputs))
        scores.eval_loss = await meanLoss(program, values, examples, batchSize);
      const outputs = comparison.outputs(all, vectors, DENSE);
      if (watch)
        tell(
          outputs.map((output) => Float32Array.from(output)),
          all,
          watch,
        );
      const first = rows.columns[0]!.map((text) => vectors.queries.get(text)!);
      watch?.onAnswers?.(
        rows.scores ? outputs.map(([cosine]) => cosine) : first,
        rows.scores ?? rows.classes ?? rows.columns[1]!.map((text) => vectors.texts.get(text)),
      );
      return { ...scores, ...nameScores(comparison.scores(outputs, all)) };
    },
  };
}

function nameScores(scores: Partial<Record<ScoreName, number>>): Scores {
  return Object.fromEntries(Object.entries(scores).map(([name, score]) => [`eval_${name}`, score]));
}

/** The numbers of the negatives of each row, which the model finds before training. */
async function mineForRows(
  rows: EmbeddingRows,
  context: EncodingContext<EmbeddingData>,
  { program, values }: RowModel,
): Promise<Float32Array[]> {
  const texts = listCorpus(rows);
  const [anchors, positives] = rows.columns as [readonly string[], readonly string[]];
  const all = Int32Array.from(anchors.keys());
  const { eval: batchSize } = sentenceEmbedding.training.batchSize;
  const vectors = await computeVectors(rows, { texts }, all, context, { program, values, batchSize });
  const pairs = anchors.map((anchor, row) => [anchor, positives[row]!] as const);
  const mined = await mineByVectors(pairs, texts, vectors, readMining(context.reading.negatives!));
  return mined.map((found) => Float32Array.from(found, ({ number }) => number));
}

/** The vectors of the queries of some rows, and of all texts that are compared with them. */
async function computeVectors(
  rows: EmbeddingRows,
  { texts }: Pick<RowComparison, 'texts'>,
  chosen: Int32Array,
  { reading, config, modality }: EncodingContext<EmbeddingData>,
  { program, values, batchSize }: { program: Evaluator; values: Float32Array; batchSize: number },
): Promise<ComparedVectors<Float32Array>> {
  const itemsOf = (texts: Iterable<string>, column: number) => {
    const prompt = promptFor(chooseRole(rows, column), reading, config);
    const contentOf = (text: string) => (rows.whole ?? rows).contents?.get(text);
    return [...new Set(texts)].map(
      (text) => [text, modality.item({ text, content: contentOf(text) }, prompt)] as const,
    );
  };
  const queries = itemsOf(
    Array.from(chosen, (row) => rows.columns[0]![row]!),
    0,
  );
  const others = itemsOf(texts, 1);
  const items = [...queries, ...others].map(([, item]) => item);
  const set = modality.set(items);
  const vectors = await set.vectors(program, values, batchSize);
  const mapped = (pairs: typeof queries) =>
    new Map(pairs.map(([text, item]) => [text, vectors[set.numberOf(item)]!]));
  return { queries: mapped(queries), texts: mapped(others) };
}

/**
 * The mean loss over the rows. Batches are in the order of the file, because in-batch negatives depend on the order.
 */
async function meanLoss(
  program: Evaluator,
  values: Float32Array,
  examples: EmbeddingExamples,
  batchSize: number,
): Promise<number> {
  const count = examples.lengths.length;
  const batches = Array.from({ length: Math.ceil(count / batchSize) }, (_, number) => {
    const start = number * batchSize;
    return Int32Array.from({ length: Math.min(batchSize, count - start) }, (_, i) => start + i);
  });
  const losses = await batchLosses(program, values, examples, batches);
  return losses.reduce((sum, { loss, weight }) => sum + loss * weight, 0) / count;
}
