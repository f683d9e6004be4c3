import type { TrainResult } from '../../src/faces/web/index.ts';
import type { LabelState, OfferedRow } from '../../src/studies/jobs/label-session.ts';
import type { RunSummary } from '../../src/studies/report/run/run-record.ts';
import type { Column } from '../../src/tasks/guess/columns.ts';
import type { TrainEvent } from '../../src/training/run/events.ts';
import type { Split } from '../data/chosen-rows.ts';
import type { PageTable } from '../data/read-table.ts';
import type { Medium, RowFiles } from '../data/row-files.ts';
import type { PairSplit } from '../data/split-pairs.ts';
import type { LabeledSplit } from '../data/split-rows.ts';
import type { Goal, Wish } from './goal.ts';
import type { PageRun, Settings } from './page-run.ts';

/* The messages between page and worker. */

/** A file as the page shows it. */
export interface OpenedFile extends Omit<PageTable, 'rows' | 'columns' | 'contents'> {
  rows: number;
  columns: Column[];
  /** The first rows. */
  preview: string[][];
  guess: Wish;
  /** The medium that a model for it reads, and the models that the page has. */
  medium: Medium;
  models: readonly OfferedModel[];
  /** For files: some of each class. */
  contents?: { medium: RowFiles['medium']; examples: [label: string, paths: string[]][] };
}

/** A model that the page has, other than the built-in encoder. */
export interface OfferedModel {
  /** The name that adapters record. */
  name: string;
  bytes: number;
  /** Whether it is kept in this browser. Otherwise, the page is served with it. */
  isKept: boolean;
}

/** A summary of the training data with these columns: its labels, or the number of its answers. */
export type Choice = (Pick<LabeledSplit, 'labels'> | Pick<PairSplit, 'answers'>) &
  Pick<Split, 'leftOut'> & { trainRows: number; heldOutRows: number };

/** Without `device`, the best available one is used. */
export type ChosenSettings = Omit<Settings, 'device'> & Partial<Pick<Settings, 'device'>>;

export interface Begun extends Omit<PageRun, 'config' | 'files' | 'modelFiles'> {
  goal: Goal;
  facts: RunSummary;
  /** Whether another tab can resume the run after this tab is closed. */
  isKept: boolean;
}

/** Receives the events of a run. */
export interface Watcher {
  begun(run: Begun): void;
  event(event: TrainEvent): void;
  /** Called when a linear probe can predict, while the model is trained. */
  probed(): void;
  /** Called after each checkpoint of a stored run. `problem` says why it could not be stored. */
  checkpoint(problem?: string): void;
}

export type Outcome = Pick<TrainResult, 'reason' | 'step' | 'metrics' | 'train_runtime' | 'verdict'>;

/** The labels of an input, the most likely first, or the transcript of a sound. */
export type Prediction = { probabilities: [label: string, probability: number][] } | { transcript: string };

/** An answer of the file, with the cosine similarity of its vector to that of a question. */
export interface Found {
  answer: string;
  cosine: number;
}

/** The columns to label and how. For pictures, `model` reads them. */
export interface LabelWish {
  input: number;
  /** The column of the second text of pairs. */
  second?: number | undefined;
  labels: readonly string[];
  /** Whether a row may have several labels, or none. */
  several: boolean;
  model?: Settings['model'];
}

/** The labeling of a file, as it begins. */
export interface BegunLabels {
  fileName: string;
  rows: readonly OfferedRow[];
  /** Whether the rows are names of pictures. */
  isPictures: boolean;
  several: boolean;
  /** Whether the answers outlive the tab. */
  isKept: boolean;
  state: LabelState;
}
