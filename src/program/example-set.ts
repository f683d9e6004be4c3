import type { Tensors } from '../engine/runtime/session.ts';
import type { LinearLoss } from '../scores/baselines/linear-model.ts';
import type { ScoreInterval } from '../scores/metrics/score-interval.ts';
import type { LinearLayer } from './objectives/sentence-classifier.ts';
import type { Evaluator } from './program.ts';

/** Examples in the form that a model reads. */
export interface ExampleSet {
  /** Number of tokens of each example. */
  readonly lengths: Int32Array;
  /** In an encoder-decoder, how many of these tokens are the decoder's. */
  readonly targetLengths?: Int32Array | undefined;
  /** Number of texts truncated to the maximum length. */
  readonly truncated: number;
  /**
   * The row of each example, in ascending order. Undefined if there is one example per row. For files without rows, it
   * is the index of the example's file.
   */
  readonly rows?: Int32Array | undefined;
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
  /** The weight of the batch's mean loss: its number of examples or of labeled tokens. */
  weight: number;
  /** For a loss over all texts of a step: the number of texts computed at a time. Default: all. */
  chunk?: number | undefined;
}

/** The values of `eval_loss` and of `eval_<metric>` for each metric of the task. */
export type Scores = Record<`eval_${string}`, number>;

/** A confusion matrix: how often each class (row) was predicted as each class (column). */
export interface Confusion {
  labels: readonly string[];
  counts: readonly (readonly number[])[];
}

/** A row that was predicted as another class than its own. Long texts are truncated. */
export interface Mistake {
  text: string;
  text_pair?: string | undefined;
  /** A data URL that shows the file of the row. */
  preview?: string | undefined;
  label: string;
  predicted: string;
  /** The probability of the predicted class. */
  probability: number;
}

/** Maximum number of wrong predictions in an evaluation's results. */
export const MAX_MISTAKES = 20;

/** How certain an evaluation's scores are. */
export interface Certainty {
  /**
   * The group of each scored unit (row, sentence, question), numbered from 0. Units with a text in common are one group,
   * because they are not independent.
   */
  groups: Int32Array;
  /** In a search, the number of texts among which each query is searched. */
  candidates?: number;
  /** Returns the 95 % interval of a score, by its name without `eval_`; undefined if it cannot be computed. */
  interval(score: string): ScoreInterval | undefined;
}

/** Receives the results of an evaluation other than its scores. */
export interface EvaluationWatch {
  /** Called for tasks with one class per row. */
  onConfusion?(confusion: Confusion): void;
  onCertainty?(certainty: Certainty): void;
  /** Called for tasks with one class per row. `find` returns the most confident wrong predictions, the most confident first. */
  onMistakes?(find: () => Mistake[]): void;
  /** For tasks with answers: gets the model's prediction and the reference of each row. */
  onAnswers?(predictions: readonly unknown[], references: readonly unknown[]): void;
}

/** The targets of a linear layer on a model's features. */
interface LayerTargets {
  loss: LinearLoss;
  outputs: number;
  /** The targets of each row: of its text, or of each of its words. As in `fitLinear`. */
  rows: readonly ArrayLike<number>[];
}

/** The number of a row's units: its text, or each of its words. */
export function countUnits({ rows, outputs, loss }: LayerTargets, row: number): number {
  return loss === 'softmax' ? rows[row]!.length : rows[row]!.length / outputs;
}

/** A model with trained values. */
export interface RowModel {
  program: Evaluator;
  values: Float32Array;
  /** The layer on its vectors, for a model of sentence vectors. */
  layer?: LinearLayer;
}

/** The rows of an evaluation that are scored one by one, so that different models may predict them, as in cross-validation. */
export interface ScoredRows {
  /** The group of each row. Rows of a group share a text. */
  readonly groups: Int32Array;
  /** The number of outputs of a row. */
  sizeOf(row: number): number;
  /** Computes the outputs of some rows. For rows that are compared with others, such as queries of a search: their scores. */
  outputs(model: RowModel, rows: Int32Array): Promise<Float32Array[]>;
  /**
   * Scores the outputs of some rows.
   *
   * @param rows indices of the rows, which may occur several times
   */
  scores(outputs: readonly Float32Array[], rows: Int32Array): Scores;
  /** Passes the other results of the outputs of some rows. */
  tell(outputs: readonly Float32Array[], rows: Int32Array, watch: EvaluationWatch): void;
}

/** Scored rows with targets of their own, to which a linear layer is fitted. Their outputs are [units, outputs]. */
export interface EvaluatedRows extends ScoredRows {
  readonly targets: LayerTargets;
  /** Computes the features that a linear layer reads: for each of the rows [units, width], a unit for each target. */
  features(model: Omit<RowModel, 'layer'>, rows: Int32Array): Promise<Float32Array[]>;
}

/** Returns some of a set's examples. */
export function someExamples(set: ExampleSet, examples: Int32Array): ExampleSet {
  const pick = (from: Int32Array) => Int32Array.from(examples, (example) => from[example]!);
  const { targetLengths, rows } = set;
  return {
    lengths: pick(set.lengths),
    targetLengths: targetLengths && pick(targetLengths),
    truncated: set.truncated,
    rows: rows && pick(rows),
    batch: (chosen, number) =>
      set.batch(
        chosen.map((i) => examples[i]!),
        number,
      ),
  };
}

/** Scores a model on a set of examples. */
export interface Evaluation {
  readonly examples: ExampleSet;
  /** The outputs of the program for each batch. */
  readonly output: 'logits' | 'loss';
  /** Missing for tasks that compare rows, and for tasks that answer with texts. */
  readonly rows?: EvaluatedRows;
  /** For tasks that compare rows. */
  readonly compared?: ScoredRows;
  run(program: Evaluator, values: Float32Array, watch?: EvaluationWatch): Promise<Scores>;
}
