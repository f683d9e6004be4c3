import type { Evaluation, Scores } from '../../program/example-set.ts';
import { batchLosses } from '../../program/predict-batches.ts';
import type { Evaluator } from '../../program/program.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import { InvalidData } from '../../support/user-error.ts';
import type { EncodingContext } from '../prediction.ts';
import { promptFor } from '../sentence-vectors.ts';
import type { EmbeddingData, EmbeddingForm } from './data-section.ts';
import { cosine, DENSE } from './embed-texts.ts';
import { type EmbeddingExamples, embeddingExamples } from './embedding-examples.ts';
import type { EmbeddingRows, Retrieval } from './embedding-rows.ts';
import { likenessScores, rankedScores } from './likeness-scores.ts';

const RETRIEVAL = [
  'ndcg@10',
  'mrr@10',
  'map@100',
  'recall@1',
  'recall@5',
  'recall@10',
  'accuracy@1',
] as const;

/** The scores for each form of rows, the default first. */
export const SCORES_OF: Readonly<Record<EmbeddingForm, readonly ScoreName[]>> = {
  pairs: [...RETRIEVAL, 'triplet_accuracy', 'loss'],
  retrieval: [...RETRIEVAL, 'loss'],
  scored: ['spearmanr', 'pearson', 'loss'],
  labelled: [...RETRIEVAL, 'loss'],
};

/**
 * Scores vectors by their cosines: scored pairs by correlation, all other forms by retrieval. In pairs, an anchor
 * searches for its positive among all texts of the other columns. Each labeled sentence searches for the others
 * of its class. It also computes the mean loss of batches in the order of the file.
 *
 * @throws UserError for labeled sentences if every class has one
 */
export function embeddingEvaluation(
  rows: EmbeddingRows,
  context: EncodingContext<EmbeddingData>,
  batchSize: number,
): Evaluation {
  const { classes } = rows;
  if (classes && new Set(classes).size === classes.length)
    throw new InvalidData({
      where: rows.fileName,
      fault: 'has no two rows of one class, so no sentence can find another of its class',
      hint: 'Add rows to its classes. If the rows were held out from the training file, hold out more: data.validation.',
    });
  const examples = embeddingExamples(rows, context);
  return {
    examples,
    output: 'loss',
    async run(program, values, watch) {
      const vectors = await examples.texts.vectors(program, values, batchSize);
      const scores: Scores = {};
      // Without a run, the model has the loss for pairs. It is skipped for other forms.
      const { inputs = [] } = program.parts.model.joint ?? {};
      if (String(inputs) === String(examples.lossInputs))
        scores.eval_loss = await meanLoss(program, values, examples, batchSize);
      const columns = examples.columns.map((column) => Array.from(column, (number) => vectors[number]!));
      const computed = rows.retrieval
        ? await scoredRetrieval(rows.retrieval, context, { program, values, batchSize })
        : likenessScores(rows, columns, DENSE);
      for (const [name, score] of Object.entries(computed)) scores[`eval_${name}`] = score;
      watch?.onAnswers?.(
        rows.scores ? columns[0]!.map((vector, i) => cosine(vector, columns[1]![i]!)) : columns[0]!,
        rows.scores ?? rows.classes ?? columns[1]!,
      );
      return scores;
    },
  };
}

async function scoredRetrieval(
  { queries, corpus, relevant }: Retrieval,
  context: EncodingContext<EmbeddingData>,
  { program, values, batchSize }: { program: Evaluator; values: Float32Array; batchSize: number },
) {
  const vectorsOf = async (texts: readonly string[], role: 'query' | 'document') => {
    const prompt = promptFor(role, context.reading, context.config);
    const items = texts.map((text) => context.modality.item({ text }, prompt));
    const set = context.modality.set(items, { communicator: program.communicator });
    const vectors = await set.vectors(program, values, batchSize);
    return items.map((item) => vectors[set.numberOf(item)]!);
  };
  const asked = await vectorsOf(queries, 'query');
  return rankedScores(asked, await vectorsOf(corpus, 'document'), relevant, DENSE);
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
