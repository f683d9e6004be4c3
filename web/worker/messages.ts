import type { Column } from '../../src/data/table/describe-columns.ts';
import type { RunFacts } from '../../src/report/run/run-facts.ts';
import type { TrainEvent } from '../../src/run/events.ts';
import type { TrainResult } from '../../src/web/index.ts';
import type { PageTable } from '../data/read-table.ts';
import type { Split } from '../data/split-rows.ts';
import type { PageRun, Settings } from './page-run.ts';

/* What page and worker tell each other. */

/** What the page shows of a file. */
export interface OpenedFile extends Omit<PageTable, 'rows' | 'columns'> {
  rows: number;
  columns: Column[];
  /** The first rows. */
  preview: string[][];
  guess: { text: number; label: number };
}

/** What there is to train on, where these columns are chosen. */
export interface Choice extends Pick<Split, 'labels' | 'leftOut'> {
  trainRows: number;
  heldOutRows: number;
}

/** Without a device: the best that there is. */
export type ChosenSettings = Omit<Settings, 'device'> & Partial<Pick<Settings, 'device'>>;

export interface Begun extends Omit<PageRun, 'config' | 'files'> {
  facts: RunFacts;
  /** Whether a tab that is closed can go on with it. */
  isKept: boolean;
}

/** Told of a run while it goes on. */
export interface Watcher {
  begun(run: Begun): void;
  event(event: TrainEvent): void;
  /** Of each checkpoint of a run that is kept: why it could not be, or nothing. */
  checkpoint(problem?: string): void;
}

export type Outcome = Pick<TrainResult, 'reason' | 'step' | 'metrics' | 'train_runtime' | 'verdict'>;

export interface Prediction {
  /** The most likely first. */
  probabilities: [label: string, probability: number][];
}
