import type { Device } from '../../engine/runtime/session.ts';
import type { DownloadProgress } from '../../input/formats/byte-source.ts';
import { BASE_DTYPES, type BaseDtype } from '../../program/bases/base-dtype.ts';
import type { Confusion } from '../../program/example-set.ts';
import type { OwnMetrics } from '../../scores/metrics/own-metrics.ts';
import {
  ANYTHING,
  acceptOne,
  BOOLEAN,
  COUNT,
  FUNCTION,
  NUMBER,
  OBJECT,
  type OptionTypes,
  SIGNAL,
  TEXT,
} from '../../support/options.ts';
import type { EmbedOptions } from '../../tasks/prediction.ts';

/** The options of an opened model that Node and a page share. */
export interface CommonOpenOptions<Model, Where> {
  /** The base model, if it is not where the adapter says: in Node its folder or Hub id, in a page its files or URL. */
  model?: Model | undefined;
  /** Default: `cpu` in Node, `wasm` in a page. */
  device?: Where | undefined;
  batchSize?: number | undefined;
  /** Number of tokens after which a text is truncated, if other than in the run. */
  maxLength?: number | undefined;
  /** Whether to open it for text generation, with a suitable head instead of its own. */
  generates?: boolean | undefined;
  /** Whether to open it for text vectors, even if it is a base model without a task. */
  embeds?: boolean | undefined;
  /**
   * Whether a prompt that begins like the previous one is read only from the first difference on, as for the turns of a
   * conversation. The results are equal up to rounding, so a sampled text may depend on earlier prompts.
   */
  continues?: boolean | undefined;
  /** Called while files of the Hub, or in a page the weights, are downloaded. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Called if an adapter was trained on other weights than its base has. By default, a warning is printed. */
  onNotice?: ((message: string) => void) | undefined;
}

export const COMMON_OPEN_OPTIONS: OptionTypes<CommonOpenOptions<unknown, unknown>> = {
  model: ANYTHING,
  device: acceptOne('cpu', 'webgpu', 'wasm'),
  batchSize: COUNT,
  maxLength: COUNT,
  generates: BOOLEAN,
  embeds: BOOLEAN,
  continues: BOOLEAN,
  onProgress: FUNCTION,
  onNotice: FUNCTION,
};

/** Options of an opened model in Node. */
export interface OpenOptions extends CommonOpenOptions<string, Device> {
  /** Type of the frozen weights. Default: float32 whatever the run used, or the only type that the adapter fits. */
  baseDtype?: BaseDtype | undefined;
}

export const OPEN_OPTIONS: OptionTypes<OpenOptions> = {
  ...COMMON_OPEN_OPTIONS,
  model: TEXT,
  baseDtype: acceptOne(...BASE_DTYPES),
};

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

/** The rows that score a model, and how they are read. */
export interface EvaluateParams<Data> extends EvaluationOptions {
  /** The path of a file, or rows in memory. */
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

/** How inputs are read, and when a prediction ends early. */
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
