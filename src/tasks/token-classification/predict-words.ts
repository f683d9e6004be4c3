import { dealNumbers } from '../../parallel/deal.ts';
import { checkFinite } from '../../program/check-finite.ts';
import type { Predictor } from '../../program/program.ts';
import { planEvaluation } from '../../text/batches.ts';
import type { WordExamples } from './word-examples.ts';

/** Logits of the first pieces of each example's words, in order: [words, labels] row-major. */
export async function predictWords(
  program: Predictor,
  values: Float32Array,
  set: WordExamples,
  numLabels: number,
  batchSize: number,
): Promise<Float32Array[]> {
  const predicted = new Array<Float32Array>(set.lengths.length);
  const batches = planEvaluation(set, batchSize);
  // Sequence-major: the first position of all examples, then the second.
  const computed = await dealNumbers(program.communicator, batches.length, (number) =>
    program.predict(values, set.batch(batches[number]).feeds),
  );
  for (const [number, logits] of computed.entries()) {
    const examples = batches[number];
    examples.forEach((example, column) => {
      const { positions } = set.firstPieces[example];
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
