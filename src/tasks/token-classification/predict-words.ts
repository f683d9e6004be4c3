import { checkFinite } from '../../program/check-finite.ts';
import { someExamples } from '../../program/example-set.ts';
import { predictBatches } from '../../program/predict-batches.ts';
import type { Predictor } from '../../program/program.ts';
import type { WordExamples } from './word-examples.ts';

/**
 * Computes the logits (or other values of tokens) of the first pieces of each example's words, in order: [words, labels]
 * row-major.
 *
 * @param chosen indices of the examples; by default all
 */
export async function predictWords(
  program: Predictor,
  values: Float32Array,
  set: WordExamples,
  batchSize: number,
  chosen: Int32Array = Int32Array.from(set.lengths.keys()),
): Promise<Float32Array[]> {
  const predicted = new Array<Float32Array>(chosen.length);
  // Logits are sequence-major: the first position of all examples, then the second.
  for (const { examples, logits } of await predictBatches(
    program,
    values,
    someExamples(set, chosen),
    batchSize,
  )) {
    const length = examples.reduce((most, i) => Math.max(most, set.lengths[chosen[i]!]!), 0);
    const width = logits.length / (length * examples.length);
    examples.forEach((i, column) => {
      const { positions } = set.firstPieces[chosen[i]!]!;
      const rows = new Float32Array(positions.length * width);
      positions.forEach((position, word) => {
        const start = (position * examples.length + column) * width;
        rows.set(logits.subarray(start, start + width), word * width);
      });
      predicted[i] = rows;
    });
  }
  checkFinite(predicted);
  return predicted;
}
