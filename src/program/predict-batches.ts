import { planEvaluation } from '../input/text/batches.ts';
import { checkFinite } from './check-finite.ts';
import type { ExampleSet } from './example-set.ts';
import { dealNumbers } from './parallel/deal.ts';
import type { Predictor } from './program.ts';

/** A batch and its logits. */
export interface PredictedBatch {
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
 * Returns the logits of all examples in order, [examples, labels] row-major. Batches have examples of similar length
 * and are divided among the processes of the run.
 *
 * @throws NotFinite if a logit is not finite
 */
export async function predictAll(
  program: Predictor,
  values: Float32Array,
  set: ExampleSet,
  numLabels: number,
  batchSize: number,
): Promise<Float32Array> {
  const logits = new Float32Array(set.lengths.length * numLabels);
  for (const { examples, logits: rows } of await predictBatches(program, values, set, batchSize)) {
    examples.forEach((example, row) => {
      logits.set(rows.subarray(row * numLabels, (row + 1) * numLabels), example * numLabels);
    });
  }
  checkFinite(listRows(logits, numLabels));
  return logits;
}

function* listRows(matrix: Float32Array, width: number): Iterable<Float32Array> {
  for (let at = 0; at < matrix.length; at += width) yield matrix.subarray(at, at + width);
}
