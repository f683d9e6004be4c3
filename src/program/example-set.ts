import type { Tensors } from '../runtime/session.ts';
import type { Program } from './program.ts';

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
}

/** What `eval_loss` and, for each metric of the task, `eval_<metric>` is. */
export type Scores = Record<`eval_${string}`, number>;

/** How often each class (row) was taken for each (column). */
export interface Confusion {
  labels: readonly string[];
  counts: readonly (readonly number[])[];
}

/** Scores of a model on a set of examples. */
export interface Evaluation {
  readonly examples: ExampleSet;
  /** What is computed for each batch. */
  readonly output: 'logits' | 'loss';
  /** @param onConfusion told of it by tasks of one class a row */
  run(program: Program, values: Float32Array, onConfusion?: (confusion: Confusion) => void): Promise<Scores>;
}
