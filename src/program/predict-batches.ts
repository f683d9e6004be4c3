import { planEvaluation } from '../input/text/batches.ts';
import { joinedFloats } from '../support/arrays.ts';
import { smallest } from '../support/numbers.ts';
import { checkFinite, NotFinite } from './check-finite.ts';
import type { ExampleSet } from './example-set.ts';
import { dealNumbers } from './parallel/deal.ts';
import type { Evaluator, Predictor } from './program.ts';

/** A batch and its logits. */
interface PredictedBatch {
  /** Indices of its examples in the set. */
  examples: Int32Array;
  /** The batch's logits, with its padding, in the head's layout. */
  logits: Float32Array;
}

/** Computes the logits of a set in batches of similar length. The processes of the run divide the batches. */
export async function predictBatches(
  program: Predictor,
  values: Float32Array,
  set: Pick<ExampleSet, 'lengths' | 'targetLengths' | 'batch'>,
  batchSize: number,
): Promise<PredictedBatch[]> {
  const batches = planEvaluation(set, batchSize, program.maxTokens);
  const predicted = await dealNumbers(program.communicator, batches.length, (number) =>
    program.predict(values, set.batch(batches[number]!, 0).feeds),
  );
  return predicted.map((logits, number) => ({ examples: batches[number]!, logits }));
}

/**
 * Returns the logits of each example, in order. Batches have examples of similar length and are divided among the
 * processes of the run.
 *
 * @throws NotFinite if a logit is not finite
 */
export async function predictRows(
  program: Predictor,
  values: Float32Array,
  set: ExampleSet,
  batchSize: number,
): Promise<Float32Array[]> {
  const rows = new Array<Float32Array>(set.lengths.length);
  for (const { examples, logits } of await predictBatches(program, values, set, batchSize)) {
    const width = logits.length / examples.length;
    examples.forEach((example, row) => {
      rows[example] = logits.slice(row * width, (row + 1) * width);
    });
  }
  checkFinite(rows);
  return rows;
}

/**
 * Returns the logits of all examples in order, [examples, labels] row-major.
 *
 * @throws NotFinite if a logit is not finite
 */
export async function predictAll(
  program: Predictor,
  values: Float32Array,
  set: ExampleSet,
  batchSize: number,
): Promise<Float32Array> {
  return joinedFloats(await predictRows(program, values, set, batchSize));
}

/** The mean loss of a batch, and its weight among the others. */
interface BatchLoss {
  loss: number;
  weight: number;
}

/**
 * Computes the loss of each batch. The processes of the run divide the batches.
 *
 * @param batches indices of the examples of each batch
 * @throws NotFinite with the first example of a batch without a finite loss
 */
export async function batchLosses(
  program: Evaluator,
  values: Float32Array,
  set: ExampleSet,
  batches: readonly Int32Array[],
): Promise<BatchLoss[]> {
  const losses = await dealNumbers(program.communicator, batches.length, async (number) => {
    const { feeds, weight } = set.batch(batches[number]!, number);
    // float32 is exact here: token counts are small enough, and the graph's loss is float32.
    return Float32Array.of(await program.loss(values, feeds), weight);
  });
  return losses.map(([loss, weight], number) => {
    if (!Number.isFinite(loss)) throw new NotFinite(smallest(batches[number]!));
    return { loss: loss!, weight: weight! };
  });
}
