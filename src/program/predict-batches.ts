import { planEvaluation } from '../input/text/batches.ts';
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
  const batches = planEvaluation(set, batchSize);
  const predicted = await dealNumbers(program.communicator, batches.length, (number) =>
    program.predict(values, set.batch(batches[number]!, 0).feeds),
  );
  return predicted.map((logits, number) => ({ examples: batches[number]!, logits }));
}
