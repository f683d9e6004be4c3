import type { OwnMetrics } from '../metrics/own-metrics.ts';
import type { Confusion } from '../program/example-set.ts';

/** What may be said of an evaluation beside its data. */
export interface EvaluationOptions {
  /** Keys of the task's `data` section that differ from the run's: `{ text: 'comment' }`. */
  reading?: object;
  /** Called with notes on the data, such as rows that were skipped. */
  onNotice?(message: string): void;
  /** Called with the confusion matrix, for tasks with one class a row. */
  onConfusion?(confusion: Confusion): void;
  /** Ends the evaluation before its next batch. */
  signal?: AbortSignal;
}

export interface EvaluateParams<Data> extends EvaluationOptions {
  data: Data;
  /** Your own scores, as in a run's config. */
  metrics?: OwnMetrics;
}

export interface PredictOptions {
  /** Keys of the task's `data` section that differ from the run's: `{ text_pair: 'premise' }`. */
  reading?: object;
  /** Ends the prediction. */
  signal?: AbortSignal;
}
