import type { Confusion } from '../../program/example-set.ts';
import { GENERATION_KEYS } from '../../program/generation/generation-config.ts';
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

/** The values of the keys of a generation config are checked where they are merged with the model's files. */
export const WRITE_OPTIONS = {
  ...Object.fromEntries(GENERATION_KEYS.map((key) => [key, ANYTHING])),
  seed: NUMBER,
  signal: SIGNAL,
  onText: FUNCTION,
};
