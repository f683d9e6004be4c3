import type { Confusion } from '../../program/example-set.ts';
import type { OwnMetrics } from '../../scores/metrics/own-metrics.ts';
import { ANYTHING, FUNCTION, NUMBER, OBJECT, type OptionTypes, SIGNAL, TEXT } from '../../support/options.ts';
import type { EmbedOptions } from '../../tasks/prediction.ts';

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

export const EVALUATE_OPTIONS: OptionTypes<EvaluateParams<unknown>> = {
  data: ANYTHING,
  metrics: OBJECT,
  reading: OBJECT,
  onNotice: FUNCTION,
  onConfusion: FUNCTION,
  signal: SIGNAL,
};

export interface PredictOptions {
  /** Keys of the task's `data` section that differ from the run's: `{ text_pair: 'premise' }`. */
  reading?: object | undefined;
  /** Aborts the prediction. */
  signal?: AbortSignal | undefined;
}

export const PREDICT_OPTIONS: OptionTypes<PredictOptions> = { reading: OBJECT, signal: SIGNAL };

export const EMBED_OPTIONS: OptionTypes<EmbedOptions & Pick<PredictOptions, 'signal'>> = {
  prompt: TEXT,
  promptName: TEXT,
  dimensions: NUMBER,
  signal: SIGNAL,
};
