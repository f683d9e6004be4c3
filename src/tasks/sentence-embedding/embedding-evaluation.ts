import type { ComparedRows, Evaluation, Scores } from '../../program/example-set.ts';
import { batchLosses } from '../../program/predict-batches.ts';
import type { Evaluator } from '../../program/program.ts';
import { RETRIEVAL } from '../../scores/metrics/retrieval-scores.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import { InvalidData } from '../../support/user-error.ts';
import type { EncodingContext } from '../prediction.ts';
import { promptFor } from '../sentence-vectors.ts';
import { type ComparedVectors, RowComparison } from './compare-rows.ts';
import type { EmbeddingData, EmbeddingForm } from './data-section.ts';
import { DENSE } from './embed-texts.ts';
import { chooseRole, type EmbeddingExamples, embeddingExamples } from './embedding-examples.ts';
import type { EmbeddingRows } from './embedding-rows.ts';

/** The scores for each form of rows, the default first: most queries of pairs have one right answer. */
export const SCORES_OF: Readonly<Record<EmbeddingForm, readonly ScoreName[]>> = {
  pairs: ['accuracy@1', ...RETRIEVAL.filter((name) => name !== 'accuracy@1'), 'triplet_accuracy', 'loss'],
  retrieval: [...RETRIEVAL, 'loss'],
  scored: ['spearmanr', 'pearson', 'loss'],
  labelled: [...RETRIEVAL, 'loss'],
};

/**
 * Scores vectors by their cosines: scored pairs by correlation, all other forms by retrieval among the texts of the whole
 * file. It also computes the mean loss of batches in the order of the file.
 *
 * @throws UserError for labeled sentences if every class has one
 */
export function embeddingEvaluation(
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
  const tell: ComparedRows['tell'] = (outputs, chosen, watch) =>
    watch.onCertainty?.(comparison.certainty(outputs, chosen));
  return {
    examples,
    output: 'loss',
    compared: {
      groups: comparison.groups,
      width: comparison.width,
      async outputs({ program, values }, chosen) {
        const vectors = await computeVectors(rows, comparison, chosen, context, {
          program,
          values,
          batchSize,
        });
        return comparison.outputs(chosen, vectors, DENSE).map((output) => Float32Array.from(output));
      },
      scores: (outputs, chosen) => named(comparison.scores(outputs, chosen)),
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
      return { ...scores, ...named(comparison.scores(outputs, all)) };
    },
  };
}

function named(scores: Partial<Record<ScoreName, number>>): Scores {
  return Object.fromEntries(Object.entries(scores).map(([name, score]) => [`eval_${name}`, score]));
}

/** The vectors of the queries of some rows, and of all texts that are compared with them. */
async function computeVectors(
  rows: EmbeddingRows,
  { texts }: RowComparison,
  chosen: Int32Array,
  { reading, config, modality }: EncodingContext<EmbeddingData>,
  { program, values, batchSize }: { program: Evaluator; values: Float32Array; batchSize: number },
): Promise<ComparedVectors<Float32Array>> {
  const itemsOf = (texts: Iterable<string>, column: number) => {
    const prompt = promptFor(chooseRole(rows, column), reading, config);
    const pictureOf = (text: string) => (rows.whole ?? rows).pictures?.get(text);
    return [...new Set(texts)].map(
      (text) => [text, modality.item({ text, picture: pictureOf(text) }, prompt)] as const,
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
  const mapped = (of: typeof queries) =>
    new Map(of.map(([text, item]) => [text, vectors[set.numberOf(item)]!]));
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
