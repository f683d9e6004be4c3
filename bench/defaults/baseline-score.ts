import { bagOfWords } from '../../src/scores/baselines/bag-of-words.ts';
import { pearson } from '../../src/scores/metrics/regression-scores.ts';
import type { LabeledRow, SuiteTask } from './tasks.ts';

/** Names of arms without a model. */
export const BASELINES = ['majority', 'bag'] as const;

/** The score of the majority class, or of a bag of words fitted on the same rows. */
export async function baselineScore(
  arm: string,
  { task }: SuiteTask,
  train: readonly LabeledRow[],
  test: readonly LabeledRow[],
): Promise<number> {
  if (task === 'regression') {
    // The majority baseline is a constant, whose correlation counts as 0.
    if (arm === 'majority') return 0;
    const learnt = { texts: train.map(textsOf), targets: train.map(({ label }) => Number(label)) };
    const found = await bagOfWords({ ...learnt, outputs: 1, loss: 'squared' }, test.map(textsOf));
    return pearson(
      found,
      Float64Array.from(test, ({ label }) => Number(label)),
    );
  }
  const labels = [...new Set(train.map(({ label }) => label))];
  const counts = labels.map((label) => train.filter((row) => row.label === label).length);
  const right = (predicted: (row: number) => string) =>
    test.filter(({ label }, i) => label === predicted(i)).length / test.length;
  if (arm === 'majority') return right(() => labels[counts.indexOf(Math.max(...counts))]!);
  const scores = await bagOfWords(
    {
      texts: train.map(textsOf),
      targets: train.map(({ label }) => labels.indexOf(label)),
      outputs: labels.length,
      loss: 'softmax',
    },
    test.map(textsOf),
  );
  return right((row) => {
    const own = [...scores.subarray(row * labels.length, (row + 1) * labels.length)];
    return labels[own.indexOf(Math.max(...own))]!;
  });
}

function textsOf({ text, text_pair: textPair }: LabeledRow) {
  return { text, ...(textPair !== undefined && { textPair }) };
}
