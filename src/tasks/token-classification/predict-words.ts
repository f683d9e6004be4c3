import { checkFinite } from '../../program/check-finite.ts';
import { predictBatches } from '../../program/predict-batches.ts';
import type { Predictor } from '../../program/program.ts';
import type { WordExamples } from './word-examples.ts';

/** Computes the logits of the first pieces of each example's words, in order: [words, labels] row-major. */
export async function predictWords(
  program: Predictor,
  values: Float32Array,
  set: WordExamples,
  numLabels: number,
  batchSize: number,
): Promise<Float32Array[]> {
  const predicted = new Array<Float32Array>(set.lengths.length);
  // Logits are sequence-major: the first position of all examples, then the second.
  for (const { examples, logits } of await predictBatches(program, values, set, batchSize)) {
    examples.forEach((example, column) => {
      const { positions } = set.firstPieces[example]!;
      const rows = new Float32Array(positions.length * numLabels);
      positions.forEach((position, word) => {
        const start = (position * examples.length + column) * numLabels;
        rows.set(logits.subarray(start, start + numLabels), word * numLabels);
      });
      predicted[example] = rows;
    });
  }
  checkFinite(predicted);
  return predicted;
}
