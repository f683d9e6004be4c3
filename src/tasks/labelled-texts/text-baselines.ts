import { bagOfWords } from '../../baselines/bag-of-words.ts';
import type { Baseline } from '../../baselines/baseline.ts';
import type { LinearLoss } from '../../baselines/linear-model.ts';
import type { Row } from '../../data/row.ts';
import type { Targets } from './to-targets.ts';

/** How to predict labels without a language model. */
export interface LabelBaselines {
  /** The loss for fitting a linear model of the words. */
  linearLoss: LinearLoss;
  /** The linear model's name in a sentence. */
  linearName: string;
  /**
   * Finds the best answer for the training rows if the text is ignored.
   *
   * @returns its logits [outputs], and its name in a sentence
   */
  blind(targets: Targets, labels: readonly string[]): { name: string; logits: readonly number[] };
}

/** Rows with their targets. */
interface Labelled {
  rows: readonly Row[];
  targets: Targets;
}

/**
 * The baselines of texts: a bag of words, and the best answer that ignores the text.
 *
 * @param scores computes the scores of logits [rows, outputs] on the rows of `validation`
 */
export async function textBaselines(
  { linearLoss, linearName, blind }: LabelBaselines,
  train: Labelled,
  validation: Labelled,
  labels: readonly string[],
  scores: (logits: Float32Array) => Baseline['scores'],
): Promise<Baseline[]> {
  const constant = blind(train.targets, labels);
  const everywhere = validation.rows.flatMap(() => constant.logits);
  const learned = {
    texts: train.rows,
    targets: train.targets,
    outputs: constant.logits.length,
    loss: linearLoss,
  };
  const logits = Float32Array.from(await bagOfWords(learned, validation.rows));
  return [
    { name: linearName, isBlind: false, scores: scores(logits) },
    { name: constant.name, isBlind: true, scores: scores(Float32Array.from(everywhere)) },
  ];
}
