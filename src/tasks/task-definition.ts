import type { TaskName } from '../data/task-type.ts';
import type { TextFile } from '../data/text-file.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { ChatTemplate } from '../text/chat/chat-template.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import type { PeftAdapter } from '../tuners/low-rank/export-adapter.ts';
import type { DataOf } from '../run/config/task-settings.ts';
import type { Evaluation, ExampleSet } from '../program/example-set.ts';

/** Makes a model of a family for a task. */
export type BuildTask = (definition: ModelDefinition, config: CommonConfig) => TaskModel;

/** How a file is read: a `data` section without its files. */
export type ReadingOf<Task extends TaskName> = Omit<DataOf[Task], 'train' | 'validation' | 'max_length'>;

/**
 * A task of a run: how its files are read, what of them a model is shown and asked, and how the answers are scored. One
 * object for each in `index.ts`; the trainer knows none of them.
 */
export interface RunTask<Task extends TaskName = TaskName, Rows = unknown> {
  /** Whether data may be a folder of files. */
  readonly takesFolders: boolean;
  /** The model, with a head for these classes. */
  build(labels: readonly string[]): BuildTask;
  /** @throws UserError for files without rows, and for bad rows with their lines */
  read(files: readonly TextFile[], reading: ReadingOf<Task>): Rows;
  /** The classes of the training rows, in the order of the head's outputs; none for tasks without. */
  labels(rows: Rows, origin: LabelOrigin): readonly string[];
  /** What the reading leaves to the files, as they decide it: for what is done with the model later. */
  found?(rows: Rows, reading: ReadingOf<Task>): Partial<ReadingOf<Task>>;
  /** @throws UserError for rows that cannot be learnt from, with their lines */
  examples(rows: Rows, context: EncodingContext<Task>): ExampleSet;
  evaluation(rows: Rows, context: EncodingContext<Task>, batchSize: number): Evaluation;
}

/** What the classes of a task depend on beside the rows. */
export interface LabelOrigin {
  /** Where the rows come from. */
  fileName: string;
  definition: ModelDefinition;
  config: CommonConfig;
  /** The adapter that is continued, with the classes it knows if it says so. */
  adapter?: { path: string; labels?: readonly string[]; tensors: PeftAdapter['tensors'] };
}

/** What it takes to make examples of rows. */
export interface EncodingContext<Task extends TaskName = TaskName> {
  reading: ReadingOf<Task>;
  labels: readonly string[];
  tokenizer: TextTokenizer;
  /** Tokens that an example may have. */
  maxLength: number;
  /** Tokens that the model knows. */
  vocabSize: number;
  /** @throws UserError where the model's folder has none */
  chatTemplate(): ChatTemplate;
  seed: number;
  /** Told now and then which share is done. */
  onProgress?: (share: number) => void;
}
