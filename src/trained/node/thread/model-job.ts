import type { DownloadProgress } from '../../../data/hub/node/download.ts';
import type { Reply } from '../../../support/calls/call.ts';
import type { Failure } from '../../../support/failure.ts';
import type { TaskName } from '../../../tasks/registry.ts';
import type { OpenOptions } from '../open.ts';

/** What a model's thread is started with. */
export interface ModelJob {
  path: string;
  options: Omit<OpenOptions, 'onProgress' | 'onNotice'>;
}

/** What the caller's thread knows of an open model. */
export interface ModelCard {
  task: TaskName | undefined;
  labels: readonly string[];
  /** Inputs that are best sent together; undefined for tasks that do not answer for each row. */
  inputsAtOnce: number | undefined;
}

/** What the thread sends. */
export type ModelMessage =
  | Reply
  | { progress: DownloadProgress }
  | { notice: string }
  | { ready: ModelCard }
  | { failure: Failure };

/** What an evaluation is asked for: a path, or rows as JSON Lines. */
export interface ScoreRequest {
  data: { path: string } | { rows: string };
  reading?: object;
  /** Names of the caller's own scores. */
  own: readonly string[];
}

/** What an evaluation tells on its way. Answers are to be scored by the caller, whose functions cannot come here. */
export type ScoreTold =
  | { notice: string }
  | { confusion: { labels: readonly string[]; counts: readonly (readonly number[])[] } }
  | { answers: [predictions: readonly unknown[], references: readonly unknown[]]; question: number };
