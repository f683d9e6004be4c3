import type { OwnMetrics } from '../metrics/own-metrics.ts';
import type { Confusion } from '../program/example-set.ts';

/** Options of an evaluation, apart from its data. */
export interface EvaluationOptions {
  /** Keys of the task's `data` section that differ from the run's: `{ text: 'comment' }`. */
  reading?: object | undefined;
  /** Called with notices about the data, such as skipped rows. */
  onNotice?: ((message: string) => void) | undefined;
  /** Called with the confusion matrix, for tasks with one class per row. */
  onConfusion?: ((confusion: Confusion) => void) | undefined;
  /** Aborts the evaluation before its next batch. */
  signal?: AbortSignal | undefined;
}

export interface EvaluateParams<Data> extends EvaluationOptions {
  data: Data;
  /** Your own scores, as in a run's config. */
  metrics?: OwnMetrics | undefined;
}

export interface PredictOptions {
  /** Keys of the task's `data` section that differ from the run's: `{ text_pair: 'premise' }`. */
  reading?: object | undefined;
  /** Aborts the prediction. */
  signal?: AbortSignal | undefined;
}
