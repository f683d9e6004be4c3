import type { DownloadProgress } from '../../../../input/formats/byte-source.ts';
import type { Reply } from '../../../../support/calls/call.ts';
import type { Failure } from '../../../../support/user-error.ts';
import type { TaskName } from '../../../../tasks/registry.ts';
import type { OpenOptions } from '../open-options.ts';

/** The input of a model's thread. */
export interface ModelJob {
  path: string;
  options: Omit<OpenOptions, 'onProgress' | 'onNotice'>;
}

/** The caller's copy of the facts about an open model. */
export interface ModelCard {
  task: TaskName | undefined;
  labels: readonly string[];
  /** The best number of inputs to send together. Undefined for tasks that do not predict for each row. */
  inputsAtOnce: number | undefined;
}

/** Messages from the thread. */
export type ModelMessage =
  | Reply
  | { progress: DownloadProgress }
  | { notice: string }
  | { ready: ModelCard }
  | { failure: Failure };

/** The data of an evaluation: a path, or rows as JSON Lines. */
export interface ScoreRequest {
  data: { path: string } | { rows: string };
  reading?: object;
  /** Names of custom scores. */
  own: readonly string[];
}

/** Messages of an evaluation. The caller computes its custom scores, because functions cannot be sent to a thread. */
export type ScoreTold =
  | { notice: string }
  | { confusion: { labels: readonly string[]; counts: readonly (readonly number[])[] } }
  | { answers: [predictions: readonly unknown[], references: readonly unknown[]]; question: number };
