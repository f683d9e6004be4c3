import type { Row } from '../../input/data/rows.ts';
import { mediumNamed } from '../../input/media/media.ts';
import { bagOfWords } from '../../scores/baselines/bag-of-words.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { type LinearLoss, linearBytes } from '../../scores/baselines/linear-model.ts';
import type { LabelBaselines, Targets } from './label-kind.ts';

/** Rows with their targets. */
interface Labeled {
  rows: readonly Row[];
  targets: Targets;
}

/** Logits of rows that were not trained on, [rows, outputs]. */
type Learn = (
  learnt: { rows: readonly Row[]; targets: Targets; outputs: number; loss: LinearLoss },
  others: readonly Row[],
) => Promise<Float64Array>;

/**
 * The baselines of texts: a bag of words, and the best answer that ignores the text.
 *
 * @param scores computes the scores of logits [rows, outputs] on the rows of `validation`
 */
export const textBaselines = baselinesWith(
  ({ rows, ...learnt }, others) => bagOfWords({ ...learnt, texts: rows }, others),
  (name) => name,
);

/** The baselines of files: a linear model of their small versions, and the best constant answer. */
export const contentBaselines = baselinesWith(
  ({ rows, ...learnt }, others) => linearBytes({ ...learnt, files: listSmall(rows) }, listSmall(others)),
  (_, rows) => `a linear model of ${mediumNamed(rows[0]!.content!.medium)!.small}`,
);

const listSmall = (rows: readonly Row[]) => rows.map(({ content }) => content!.small);

function baselinesWith(learn: Learn, nameOf: (linearName: string, rows: readonly Row[]) => string) {
  return async (
    { linearLoss, linearName, blind }: LabelBaselines,
    train: Labeled,
    validation: Labeled,
    labels: readonly string[],
    scores: (logits: Float32Array) => Baseline['scores'],
  ): Promise<Baseline[]> => {
    const constant = blind(train.targets, labels);
    const everywhere = validation.rows.flatMap(() => constant.logits);
    const learned = { ...train, outputs: constant.logits.length, loss: linearLoss };
    const logits = Float32Array.from(await learn(learned, validation.rows));
    return [
      { name: nameOf(linearName, train.rows), isBlind: false, scores: scores(logits) },
      { name: constant.name, isBlind: true, scores: scores(Float32Array.from(everywhere)) },
    ];
  };
}
