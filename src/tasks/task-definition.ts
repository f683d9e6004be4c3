import type { z } from 'zod';
import type { Baseline } from '../baselines/baseline.ts';
import type { TextFile } from '../data/text-file.ts';
import type { AdapterTensors } from '../formats/adapters/stored-adapter.ts';
import type { GenerationSources } from '../generation/generation-settings.ts';
import type { ScoreName } from '../metrics/scores.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { Communicator } from '../parallel/communicator.ts';
import type { Evaluation, ExampleSet } from '../program/example-set.ts';
import type { Problem } from '../support/problem.ts';
import type { ChatTemplate } from '../text/chat/chat-template.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import type { ValidationFiles } from './data-files.ts';
import type { HeldOut } from './hold-out.ts';
import type { Prediction } from './prediction.ts';
import type { TaskWords } from './task-words.ts';

/** Makes a model of a family for a task. */
export type BuildTask = (definition: ModelDefinition, config: CommonConfig) => TaskModel;

/** What every task's `data` section has. */
export interface BaseData {
  dataset?: string | undefined;
  subset?: string | undefined;
  train: string;
  validation?: ValidationFiles | undefined;
  max_length?: number | undefined;
}

/** How a file is read: a `data` section without its files. */
export type ReadingOf<Data extends BaseData> = Omit<Data, keyof BaseData>;

/** Flags of a command that say how a file is read, by the keys of `data`. */
export type ReadingFlags = Readonly<Record<string, string | number | boolean>>;

/**
 * A task: everything that the rest of the program needs of it. One folder, and one line in the registry.
 *
 * @typeParam Data the task's `data` section
 * @typeParam Rows what its files are read into
 * @typeParam Input what a prediction is made of
 */
export interface TaskDefinition<
  Data extends BaseData = BaseData,
  Rows = unknown,
  Input = unknown,
  Schema extends z.ZodObject = z.ZodObject,
> {
  /** The `data` section of a config. */
  readonly data: Schema;
  /** What is wrong between keys of the section that are right each for itself. */
  problems?(data: Data): Problem[];
  /** Default batch sizes. */
  readonly batchSize: { train: number; eval: number };
  /** Whether the model's own head goes on learning, instead of a new one for labels. */
  readonly keepsHead?: boolean;
  /** Rows of files; missing or undefined if examples are no rows. */
  countRows?(rows: Rows): number | undefined;
  /** Scores by which models are compared, the default first. */
  readonly metrics: readonly ScoreName[];
  /** Those among them that a section asks for, where it does not ask for all. */
  metricsOf?(data: Data): readonly ScoreName[];
  /** How scores are averaged over the classes, where that depends on these: `{ f1: 'macro' }`. */
  averages?(labels: readonly string[]): Readonly<Record<string, string>>;
  /** A small model of the Hub that can do it, for tasks beyond the embedded encoder. */
  readonly modelToTry?: string;
  /** Whether its loss is a cross-entropy, so that labels can be smoothed. */
  readonly smoothsLabels?: boolean;
  /** Whether its evaluations tell answers, so that metrics of the caller's own can be made of them. */
  tellsAnswers?(data: Data): boolean;
  /** Whether data may be a folder of files. */
  readonly takesFolders: boolean;
  /** Whether a file may be a table of rows (TSV, CSV), which `parseRows` reads. */
  readonly takesTables?: boolean;
  /** The key of the section that says how many tokens an example may have; by default `max_length`. */
  readonly lengthKey?: string;
  /** How many those are where the section does not say, if a model's files do. */
  maxLength?(config: CommonConfig): number | undefined;
  /**
   * The model, with a head for these classes.
   *
   * @param reading what the section says beside its files, where the model depends on that
   */
  build(labels: readonly string[], reading?: Partial<ReadingOf<Data>>): BuildTask;
  /** @throws UserError for files without rows, and for bad rows with their lines */
  read(files: readonly TextFile[], reading: ReadingOf<Data>): Rows;
  /** Keeps a share of rows from training, to validate on; missing where examples are no rows. */
  holdOut?(rows: Rows, share: number): HeldOut<Rows> | undefined;
  /** Rows of each class, for tasks in whose loss classes may have weights. */
  classCounts?(rows: Rows, labels: readonly string[]): number[];
  /** What the reader of a file should know of it: rows that were left out. */
  notices?(rows: Rows): string[];
  /** The classes of the training rows, in the order of the head's outputs; none for tasks without. */
  labels(rows: Rows, origin: LabelOrigin): readonly string[];
  /** What the reading leaves to the files, as they decide it: for what is done with the model later. */
  found?(rows: Rows, reading: ReadingOf<Data>): Partial<ReadingOf<Data>>;
  /** @throws UserError for rows that cannot be learnt from, with their lines */
  examples(rows: Rows, context: EncodingContext<Data>): ExampleSet;
  evaluation(rows: Rows, context: EncodingContext<Data>, batchSize: number): Evaluation;
  /**
   * The simplest answers to the rows of `validation`, fitted on those of `train`, the strongest first: what a model has to
   * beat. Missing for tasks without.
   */
  baselines?(
    train: Rows,
    validation: Rows,
    context: Pick<EncodingContext<Data>, 'labels' | 'reading'>,
  ): Baseline[];
  /**
   * How another file is read than the run's: as in the run, but for what flags say.
   *
   * @throws UserError for a flag that means nothing for the task
   */
  withFlags(reading: ReadingOf<Data>, flags: ReadingFlags, file: string): ReadingOf<Data>;
  /** For tasks that answer; the others say why not in {@link TaskWords.instead}. */
  readonly prediction?: Prediction<Data, Input>;
  /** What this task takes a model or an adapter for that says nothing of its task; undefined for one of another. */
  recognises(model: UnknownTrained): Recognised | undefined;
  /** What a config.json says of classes. */
  classKeys?(labels: readonly string[]): object;
  readonly words: TaskWords<Data>;
}

/** What the classes of a task depend on beside the rows. */
export interface LabelOrigin {
  /** Where the rows come from. */
  fileName: string;
  definition: ModelDefinition;
  config: CommonConfig;
  /** The adapter that is continued, with the classes it knows if it says so. */
  adapter?: { path: string; labels?: readonly string[]; tensors: AdapterTensors };
}

/** What it takes to make examples of rows. */
export interface EncodingContext<Data extends BaseData = BaseData> {
  reading: ReadingOf<Data>;
  labels: readonly string[];
  tokenizer: TextTokenizer;
  /** Tokens that an example may have. */
  maxLength: number;
  /** Tokens that the model knows. */
  vocabSize: number;
  /** What the model's config.json says. */
  config: CommonConfig;
  /** What the model's files say of generation. */
  generationFiles(): Omit<GenerationSources, 'user'>;
  /** @throws UserError where the model's folder has none */
  chatTemplate(): ChatTemplate;
  seed: number;
  /** By which each class counts in training, where that is not alike. */
  classWeights?: readonly number[];
  /** Those who share the run, and may share the work of making examples; they all get all of them. */
  communicator?: Communicator;
  /** Told now and then which share is done. */
  onProgress?: (share: number) => void;
}

/** A model or adapter without notes of this program. */
export interface UnknownTrained {
  definition: ModelDefinition;
  /** What the family reads of the base model's config.json. */
  config: CommonConfig;
  /** The base model's config.json. */
  json: Readonly<Record<string, unknown>>;
  /** Of an adapter PEFT's `task_type` (null for none); undefined of a whole model. */
  taskType: string | null | undefined;
  /** The class that config.json names first. */
  architecture: string | undefined;
  /** Outputs of a task's head, which the family must have, that the adapter brings; undefined if it brings none. */
  outputsOf(build: BuildTask): number | undefined;
}

export interface Recognised {
  labels: readonly string[];
  /** Keys of the `data` section that prediction needs. */
  data: object;
}
