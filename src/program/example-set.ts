import type { ScoreInterval } from '../metrics/score-interval.ts';
import type { Tensors } from '../runtime/session.ts';
import type { Evaluator } from './program.ts';

/** Examples as a model takes them. */
export interface ExampleSet {
  /** Tokens of each example. */
  readonly lengths: Int32Array;
  /** Those of them that a decoder reads, where an encoder reads the others. */
  readonly targetLengths?: Int32Array;
  /** Texts that were cut to the length allowed. */
  readonly truncated: number;
  /**
   * Some examples as one batch.
   *
   * @param number names the batch: equal numbers draw equal masks
   */
  batch(examples: Int32Array, number: number): ExampleBatch;
}

export interface ExampleBatch {
  /** Inputs of the model and of its loss. */
  feeds: Tensors;
  /** What the batch's loss is a mean over: examples, or labelled tokens. */
  weight: number;
  /** Of a loss over all texts of a step: how many are computed at a time; by default all of the batch. */
  chunk?: number;
}

/** What `eval_loss` and, for each metric of the task, `eval_<metric>` is. */
export type Scores = Record<`eval_${string}`, number>;

/** How often each class (row) was taken for each (column). */
export interface Confusion {
  labels: readonly string[];
  counts: readonly (readonly number[])[];
}

/** How sure the scores of an evaluation are. */
export interface Certainty {
  /** What was scored: rows, sentences, questions. */
  rows: number;
  /** The 95 % interval of a score, by its name without `eval_`; undefined where none can be given. */
  interval(score: string): ScoreInterval | undefined;
}

/** What an evaluation tells beside its scores. */
export interface EvaluationWatch {
  /** Of tasks of one class a row. */
  onConfusion?(confusion: Confusion): void;
  onCertainty?(certainty: Certainty): void;
  /** Of tasks that answer: what the model says of each row, and what is right. */
  onAnswers?(predictions: readonly unknown[], references: readonly unknown[]): void;
}

/** Scores of a model on a set of examples. */
export interface Evaluation {
  readonly examples: ExampleSet;
  /** What is computed for each batch. */
  readonly output: 'logits' | 'loss';
  run(program: Evaluator, values: Float32Array, watch?: EvaluationWatch): Promise<Scores>;
}
