import type { ScoreInterval } from '../metrics/score-interval.ts';
import type { Tensors } from '../runtime/session.ts';
import type { Source } from './mixture.ts';
import type { Evaluator } from './program.ts';

/** Examples in the form that a model reads. */
export interface ExampleSet {
  /** Number of tokens of each example. */
  readonly lengths: Int32Array;
  /** In an encoder-decoder, number of tokens for the decoder. `lengths` then has the number for the encoder. */
  readonly targetLengths?: Int32Array;
  /** Number of texts truncated to the maximum length. */
  readonly truncated: number;
  /**
   * The row of each example, in ascending order. Undefined if there is one example per row. For files without rows, it
   * is the index of the example's file.
   */
  readonly rows?: Int32Array;
  /** The sources of the training examples, if there are several. */
  readonly sources?: readonly Source[];
  /**
   * Returns some examples as one batch.
   *
   * @param number number of the batch; batches with the same number get the same masks
   */
  batch(examples: Int32Array, number: number): ExampleBatch;
}

export interface ExampleBatch {
  /** Inputs of the model and of its loss. */
  feeds: Tensors;
  /** The weight of the batch's mean loss: its number of examples or of labelled tokens. */
  weight: number;
  /** For a loss over all texts of a step: the number of texts computed at a time. Default: all. */
  chunk?: number;
}

/** The values of `eval_loss` and of `eval_<metric>` for each metric of the task. */
export type Scores = Record<`eval_${string}`, number>;

/** A confusion matrix: how often each class (row) was predicted as each class (column). */
export interface Confusion {
  labels: readonly string[];
  counts: readonly (readonly number[])[];
}

/** How certain an evaluation's scores are. */
export interface Certainty {
  /**
   * The group of each scored unit (row, sentence, question), numbered from 0. Units with a text in common are one group,
   * because they are not independent.
   */
  groups: Int32Array;
  /** Returns the 95 % interval of a score, by its name without `eval_`; undefined if it cannot be computed. */
  interval(score: string): ScoreInterval | undefined;
}

/** Receives the results of an evaluation other than its scores. */
export interface EvaluationWatch {
  /** Called for tasks with one class per row. */
  onConfusion?(confusion: Confusion): void;
  onCertainty?(certainty: Certainty): void;
  /** For tasks with answers: gets the model's prediction and the reference of each row. */
  onAnswers?(predictions: readonly unknown[], references: readonly unknown[]): void;
}

/** Scores a model on a set of examples. */
export interface Evaluation {
  readonly examples: ExampleSet;
  /** What the program computes for each batch. */
  readonly output: 'logits' | 'loss';
  run(program: Evaluator, values: Float32Array, watch?: EvaluationWatch): Promise<Scores>;
}
