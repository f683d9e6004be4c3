import { NotFinite } from '../../program/check-finite.ts';
import { predictBatches } from '../../program/predict-batches.ts';
import type { Predictor } from '../../program/program.ts';
import type { QuestionExamples } from './question-examples.ts';

/** A model's logits for each token of a feature, [length]. */
export interface SpanLogits {
  start: Float32Array;
  end: Float32Array;
}

/**
 * Computes the logits of all features, in order and without padding.
 *
 * @throws NotFinite that names the question of the first feature with a value that is not finite
 */
export async function predictSpans(
  program: Predictor,
  values: Float32Array,
  set: QuestionExamples,
  batchSize: number,
): Promise<SpanLogits[]> {
  const predicted = new Array<SpanLogits>(set.lengths.length);
  // Logits are [2, batch, sequence].
  for (const { examples, logits } of await predictBatches(program, values, set, batchSize)) {
    const width = logits.length / (2 * examples.length);
    examples.forEach((example, row) => {
      const side = (i: number) => {
        const begin = (i * examples.length + row) * width;
        return logits.slice(begin, begin + set.lengths[example]!);
      };
      predicted[example] = { start: side(0), end: side(1) };
    });
  }
  const damaged = predicted.findIndex(
    ({ start, end }) => !(start.every(Number.isFinite) && end.every(Number.isFinite)),
  );
  if (damaged >= 0) throw new NotFinite(set.questions[damaged]!);
  return predicted;
}
