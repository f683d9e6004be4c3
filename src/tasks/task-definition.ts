import type { z } from 'zod';
import type { Baseline } from '../baselines/baseline.ts';
import type { LinearLoss } from '../baselines/linear-model.ts';
import type { TextFile } from '../data/text-file.ts';
import type { AdapterTensors } from '../formats/adapters/stored-adapter.ts';
import type { GenerationSources } from '../generation/generation-settings.ts';
import type { ScoreName } from '../metrics/scores.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { Communicator } from '../parallel/communicator.ts';
import type { Evaluation, ExampleSet } from '../program/example-set.ts';
import type { StoppingStrategy } from '../program/mixture.ts';
import type { Problem } from '../support/problem.ts';
import type { ChatTemplate } from '../text/chat/chat-template.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import type { ValidationFiles } from './data-files.ts';
import type { HeldOut } from './hold-out.ts';
import type { Prediction } from './prediction.ts';
import type { TaskWords } from './task-words.ts';

/** Builds a model of a family for a task. */
export type BuildTask = (definition: ModelDefinition, config: CommonConfig) => TaskModel;

/** The keys that every task's `data` section has. */
export interface BaseData {
  dataset?: string | undefined;
  subset?: string | undefined;
  train: string | readonly string[];
  probabilities?: readonly number[] | undefined;
  stopping_strategy?: StoppingStrategy | undefined;
  validation?: ValidationFiles | undefined;
  max_length?: number | undefined;
}

/** How a file is read: a `data` section without its files. */
export type ReadingOf<Data extends BaseData> = Omit<Data, keyof BaseData>;

/** Flags of a command that change how a file is read, by the keys of `data`. */
export type ReadingFlags = Readonly<Record<string, string | number | boolean>>;

/**
 * A task: everything that the rest of the program needs to know about it. A task is one folder, and one line in the
 * registry.
 *
 * @typeParam Data the task's `data` section
 * @typeParam Rows the content of its files
 * @typeParam Input the input of a prediction
 */
export interface TaskDefinition<
  Data extends BaseData = BaseData,
  Rows = unknown,
  Input = unknown,
  Schema extends z.ZodObject = z.ZodObject,
> {
  /** The `data` section of a config. */
  readonly data: Schema;
  /** Problems in combinations of valid keys of the section. */
  problems?(data: Data): Problem[];
  /** Default batch sizes. */
  readonly batchSize: { train: number; eval: number };
  /** Whether training continues with the model's own head, instead of a new one for labels. */
  readonly keepsHead?: boolean;
  /** Whether the loss of an example depends on the others of its batch. */
  readonly comparesExamples?: boolean;
  /** Number of rows; missing or undefined if examples are not rows. */
  countRows?(rows: Rows): number | undefined;
  /** Scores for comparing models, the default first. */
  readonly metrics: readonly ScoreName[];
  /** The scores for a section, if it uses only some of `metrics`. */
  metricsOf?(data: Data): readonly ScoreName[];
  /** How scores are averaged over the classes, if that depends on the classes: `{ f1: 'macro' }`. */
  averages?(labels: readonly string[]): Readonly<Record<string, string>>;
  /** A small model of the Hub for this task, if the built-in encoder does not support it. */
  readonly modelToTry?: string;
  /** Whether its loss is a cross-entropy, so that labels can be smoothed. */
  readonly smoothsLabels?: boolean;
  /**
   * The loss of a linear probe from which a new head can start. Missing for tasks without one row of targets per
   * example.
   */
  readonly probeLoss?: LinearLoss;
  /** Whether its evaluations report answers, which custom metrics need. */
  tellsAnswers?(data: Data): boolean;
  /** Whether data may be a folder of files. */
  readonly takesFolders: boolean;
  /** Whether a file may be a table of rows (TSV, CSV), which `parseRows` reads. */
  readonly takesTables?: boolean;
  /** The key of the section for the maximum tokens of an example; by default `max_length`. */
  readonly lengthKey?: string;
  /** The default for that key from a model's files. */
  maxLength?(config: CommonConfig): number | undefined;
  /**
   * Builds the model, with a head for these classes.
   *
   * @param reading the section without its files, if the model depends on it
   */
  build(labels: readonly string[], reading?: Partial<ReadingOf<Data>>): BuildTask;
  /**
   * Reads files.
   *
   * @throws UserError for files without rows, and for bad rows with their lines
   */
  read(files: readonly TextFile[], reading: ReadingOf<Data>): Rows;
  /** Joins the content of several sources: the rows of each in turn, or all of their files. */
  join(parts: readonly Rows[]): Rows;
  /** Holds out a share of the training rows for validation; missing if examples are not rows. */
  holdOut?(rows: Rows, share: number): HeldOut<Rows> | undefined;
  /** Rows of each class, for tasks with class weights in their loss. */
  classCounts?(rows: Rows, labels: readonly string[]): number[];
  /** Notices about a file: skipped rows. */
  notices?(rows: Rows): string[];
  /** The classes of the training rows, in the order of the head's outputs; empty for tasks without classes. */
  labels(rows: Rows, origin: LabelOrigin): readonly string[];
  /** Settings that the section omits and the files determine. They are stored for later use of the model. */
  found?(rows: Rows, reading: ReadingOf<Data>): Partial<ReadingOf<Data>>;
  /**
   * Encodes rows.
   *
   * @throws UserError for rows that cannot be learned from, with their lines
   */
  examples(rows: Rows, context: EncodingContext<Data>): ExampleSet;
  evaluation(rows: Rows, context: EncodingContext<Data>, batchSize: number): Evaluation;
  /**
   * The simplest predictors, the strongest first: a model has to beat them. They are fitted on the rows of `train`
   * and scored on those of `validation`. Missing for tasks without baselines.
   */
  baselines?(
    train: Rows,
    validation: Rows,
    context: Pick<EncodingContext<Data>, 'labels' | 'reading'>,
  ): Baseline[];
  /** The baselines of tasks that predict the tokens themselves, from tokens instead of rows. */
  tokenBaselines?(train: ExampleSet, validation: ExampleSet, vocabSize: number): Baseline[];
  /**
   * How to read another file than the run's: as in the run, with changes by flags.
   *
   * @throws UserError for a flag that the task does not support
   */
  withFlags(reading: ReadingOf<Data>, flags: ReadingFlags, file: string): ReadingOf<Data>;
  /** Predicts. Tasks without it explain an alternative in {@link TaskWords.instead}. */
  readonly prediction?: Prediction<Data, Input>;
  /** Recognises a model or an adapter that this program did not train; undefined if it is not for this task. */
  recognises(model: UnknownTrained): Recognised | undefined;
  /** The keys of a config.json that describe the classes. */
  classKeys?(labels: readonly string[]): object;
  readonly words: TaskWords<Data>;
}

/** The information, in addition to the rows, that determines a task's classes. */
export interface LabelOrigin {
  /** The file of the rows. */
  fileName: string;
  definition: ModelDefinition;
  config: CommonConfig;
  /** The continued adapter, with its classes if it records them. */
  adapter?: { path: string; labels?: readonly string[]; tensors: AdapterTensors };
}

/** The information for making examples from rows. */
export interface EncodingContext<Data extends BaseData = BaseData> {
  reading: ReadingOf<Data>;
  labels: readonly string[];
  tokenizer: TextTokenizer;
  /** Maximum tokens of an example. */
  maxLength: number;
  /** Size of the model's vocabulary. */
  vocabSize: number;
  /** The fields of the model's config.json. */
  config: CommonConfig;
  /** The model's files for generation. */
  generationFiles(): Omit<GenerationSources, 'user'>;
  /**
   * Reads the model's chat template.
   *
   * @throws UserError if the model's folder has none
   */
  chatTemplate(): ChatTemplate;
  seed: number;
  /**
   * If training rows come from several sources: the number of rows, or of files, of each. No example mixes two
   * sources.
   */
  sources?: readonly number[];
  /** Weight of each class in training, if they are not equal. */
  classWeights?: readonly number[];
  /** The processes of the run, which may share the work of making examples. Each process gets all examples. */
  communicator?: Communicator;
  /** Called at times with the share that is done. */
  onProgress?: (share: number) => void;
}

/** A model or adapter that this program did not train. */
export interface UnknownTrained {
  definition: ModelDefinition;
  /** The family's fields of the base model's config.json. */
  config: CommonConfig;
  /** The base model's config.json. */
  json: Readonly<Record<string, unknown>>;
  /** PEFT's `task_type` of an adapter (null for none); undefined for a whole model. */
  taskType: string | null | undefined;
  /** The first class in config.json. */
  architecture: string | undefined;
  /** Number of outputs of the adapter's head, if the head fits a task's model; undefined if it has none. */
  outputsOf(build: BuildTask): number | undefined;
}

export interface Recognised {
  labels: readonly string[];
  /** Keys of the `data` section that prediction needs. */
  data: object;
}
