import type { z } from 'zod';
import type { Splittable } from '../input/data/split-rows.ts';
import type { TextFile } from '../input/data/text-file.ts';
import type { AdapterTensors } from '../input/formats/adapters/stored-adapter.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import type { Evaluation, ExampleSet, RowModel } from '../program/example-set.ts';
import type { Modality } from '../program/modalities/modality.ts';
import type { TaskModel } from '../program/objectives/task-model.ts';
import type { Baseline } from '../scores/baselines/baseline.ts';
import type { ScoreName } from '../scores/metrics/scores.ts';
import type { Problem } from '../support/user-error.ts';
import type { Column } from './guess/columns.ts';
import type { PairKind } from './guess/pairs.ts';
import type { BaseData, EncodingContext, Prediction, ReadingFlags, ReadingOf } from './prediction.ts';
import type { TaskTexts } from './task-words.ts';

/** A task whose types are not known. Pass it only its own `data` section and rows. */
export type AnyTask = TaskDefinition;

/** Builds a model of a family for a task. */
export type BuildTask = (definition: ModelDefinition, config: CommonConfig) => TaskModel;

/** How a task reads its files. */
export interface TaskFiles<Data extends BaseData = BaseData, Rows = unknown> {
  /** Whether data may be a folder of files. */
  readonly takesFolders: boolean;
  /**
   * Reads files.
   *
   * @throws UserError for files without rows, and for bad rows with their lines
   */
  read(files: readonly TextFile[], reading: ReadingOf<Data>): Rows;
  /** Joins the content of several sources: first all rows (or files) of the first source, and so on. */
  join(parts: readonly Rows[]): Rows;
  /**
   * Describes the rows for `holdOut` and `splitFolds` of input/data/split-rows.ts. Missing if they cannot be split.
   */
  splittable?(rows: Rows, reading: ReadingOf<Data>): Splittable<Rows>;
  /** Number of rows. Missing if examples are not rows. */
  countRows?(rows: Rows): number;
  /** Notices about a file, for example about skipped rows. */
  notices?(rows: Rows): string[];
  /** Settings that are missing in the section and detected in the files. They are stored for later use of the model. */
  detected?(rows: Rows, reading: ReadingOf<Data>): Partial<ReadingOf<Data>>;
  /**
   * The settings for reading another file than the run's: the run's settings, changed by flags.
   *
   * @param file its name; undefined for standard input
   * @param withoutAnswers whether its rows have no reference answers
   * @throws UserError for a flag that the task does not support
   */
  withFlags(
    reading: ReadingOf<Data>,
    flags: ReadingFlags,
    file: string | undefined,
    withoutAnswers?: boolean,
  ): ReadingOf<Data>;
  /** The columns with what a model reads: texts, or names of files. */
  contents?(reading: ReadingOf<Data>): readonly (string | number)[];
}

/** The classes of a task. */
export interface TaskClasses<Rows = unknown> {
  /** The classes of the training rows, in the order of the head's outputs. Empty if the outputs are not classes. */
  labels(rows: Rows, origin: LabelOrigin): readonly string[];
  /** Number of rows of each class, for tasks with class weights in their loss. */
  counts?(rows: Rows, labels: readonly string[]): number[];
  /** The keys of a config.json that describe the classes. */
  keys?(labels: readonly string[]): object;
  /**
   * How scores are averaged over the classes, such as `{ f1: 'macro' }`, or the class that a score is of, such as
   * `{ f1: 'of "spam"' }`. Missing if no score depends on classes.
   */
  averages?(labels: readonly string[]): Readonly<Record<string, string>>;
}

/** How models of a task are compared. */
export interface TaskScores<Data extends BaseData = BaseData> {
  /** Scores for comparing models, the default first. */
  readonly metrics: readonly ScoreName[];
  /** The scores for a section, if it uses only some of `metrics`. */
  metricsOf?(data: Data): readonly ScoreName[];
  /** Whether its evaluations report answers. Custom metrics need them. */
  tellsAnswers?(data: Data): boolean;
}

/** The parts that training depends on. */
export interface TaskTraining<Data extends BaseData = BaseData> {
  /** Default batch sizes. */
  readonly batchSize: { train: number; eval: number };
  /** Whether training continues with the model's own head instead of a new head for labels. */
  readonly keepsHead?: boolean;
  /**
   * Whether its evaluations compare rows (`Evaluation.compared`), so that few rows are cross-validated, and a run ends
   * with the model before training if fine-tuning is no better.
   */
  readonly comparesRows?: boolean;
  /** Like `comparesRows`, without a cross-validation and with the usual learning rate and number of epochs. */
  readonly mayKeepStart?: boolean;
  /** The learning rate that is chosen for it, as a share of that for other tasks of its models. Default: 1. */
  readonly rateShare?: number;
  /** Number of rows that a run sees, in ten epochs at most, whatever a row costs. By default, it depends on the work. */
  readonly rowsSeen?: number;
  /** Whether its loss is a cross-entropy, so that labels can be smoothed. */
  readonly smoothsLabels?: boolean;
  /**
   * The section with which rows are read for a linear probe of a frozen model, and whether the probe has the features and
   * the place of the run's own head. Undefined for a model without features for one; missing for tasks whose rows have no
   * targets of their own.
   */
  probing?(
    reading: ReadingOf<Data>,
    model: { definition: ModelDefinition; config: CommonConfig },
  ): { reading: ReadingOf<Data>; isOfHead: boolean } | undefined;
  /** A small model on the Hub for this task, if the built-in encoder does not support it. */
  readonly modelToTry?: string;
}

/**
 * Work of the model before the first step on each row, such as the features of a frozen encoder or the log-probabilities of
 * a reference. The run keeps its results beside its checkpoints, and does not compute them again when it resumes.
 */
export interface TaskPreparation<Data extends BaseData = BaseData, Rows = unknown> {
  /** Name and version of the computation: part of the run's fingerprint. Change it when the results change. */
  readonly name: string;
  /** Whether a run needs it. Default: yes. */
  isNeeded?(data: ReadingOf<Data>): boolean;
  /**
   * Computes a vector for each row. Examples and evaluations get them as `EncodingContext.prepared`.
   *
   * @param start the model before the first step
   */
  compute(rows: Rows, context: EncodingContext<Data>, start: RowModel): Promise<readonly Float32Array[]>;
}

/** How a task learns the answers of another model. Vectors hold an answer in the form that the loss reads. */
export interface TaskTeaching<Data extends BaseData = BaseData, Rows = unknown> {
  /** The model that teaches, and the file of rows without labels. */
  sources(data: Data | ReadingOf<Data>): { teacher?: string | undefined; unlabelled?: string | undefined };
  /** Reads rows without labels. */
  read(files: readonly TextFile[], reading: ReadingOf<Data>): Rows;
  /** The inputs of rows, for the teacher. */
  inputs(rows: Rows): readonly object[];
  /** @throws UserError for an answer that lacks one of the labels */
  vector(answer: object, labels: readonly string[]): Float32Array;
  /** Adds the answers for rows. */
  withAnswers(rows: Rows, vectors: readonly Float32Array[]): Rows;
  /** Adds rows without labels, which are only trained on. */
  withUnlabelled(rows: Rows, unlabelled: Rows): Rows;
}

/** The maximum length of an example. */
export interface TaskLength {
  /** The key of the section. Default: `max_length`. */
  readonly key?: string;
  /** The default of that key, from a model's files. */
  ofModel?(config: CommonConfig): number | undefined;
}

/** The simplest predictors, the strongest first. A model has to be better than these. */
export interface TaskBaselines<Data extends BaseData = BaseData, Rows = unknown> {
  /** Fitted on the rows of `train` and scored on those of `validation`. */
  ofRows?(
    train: Rows,
    validation: Rows,
    context: Pick<EncodingContext<Data>, 'labels' | 'reading' | 'prepared'>,
  ): readonly Baseline[] | Promise<readonly Baseline[]>;
  /** Fitted and scored on tokens, for tasks that predict the tokens of a text. */
  ofTokens?(train: ExampleSet, validation: ExampleSet, vocabSize: number): Baseline[];
}

/** The purpose of a column. */
export type ColumnRole = 'text' | 'text_pair' | 'negative' | 'label';

/** Columns that a task may learn from. */
interface Candidate {
  label: Column | undefined;
  /** The relation of two texts. Undefined for one text. */
  pair: PairKind | undefined;
  /** Whether rows of JSON call the first text a prompt. */
  isPrompt: boolean;
  /** Whether the first text is named like a query, and whether rows have it in common. */
  isQuery: boolean;
  isShared: boolean;
}

/** The names of columns in quotes. `texts` are one text or a pair. */
interface ColumnNames {
  texts: string;
  text: string;
  pair: string;
  label: string | undefined;
}

/** How a task is recognized in a file of rows. */
export interface TaskGuess {
  /** The keys of its columns in the `data` section, for each set of columns that its rows may have. */
  readonly keys?: readonly Readonly<Partial<Record<ColumnRole, string>>>[];
  /** The form of its labels. Default: one class. */
  readonly labels?: 'class' | 'several' | 'number';
  /**
   * How well columns fit it, and why: 1 if it is the usual task for them, 3 if it is the only one. Below 0, it is chosen
   * only by name. Undefined for columns from which it cannot learn.
   */
  fits?(columns: Candidate): { score: number; reason?: string } | undefined;
  /** Whether a row may have a list of second texts and a list of their labels. */
  readonly takesLists?: boolean;
  /** Whether it learns from texts alone. */
  readonly ofTexts?: boolean;
  /** The reason if these columns of JSON rows are only for this task. */
  ofColumns?(columns: readonly Column[]): string | undefined;
  /** The reason if a file with this name and beginning is only for this task. */
  ofFile?(name: string, start: string): string | undefined;
  /** The skill that a model learns from columns, such as `classify "message" by "queue"`. */
  learns?(names: ColumnNames): string;
  /** The skill that a model learns without columns to choose, such as "continue texts". */
  readonly plain?: string;
}

/**
 * A task: everything that the rest of adalora needs to know about it. A task is one folder, and one line in the
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
  /** Finds problems in combinations of valid keys of the section. */
  problems?(data: Data): Problem[];
  readonly files: TaskFiles<Data, Rows>;
  /** Missing for tasks that a file never suggests. */
  readonly guess?: TaskGuess;
  /** Missing for tasks without classes. */
  readonly classes?: TaskClasses<Rows>;
  readonly training: TaskTraining<Data>;
  readonly length?: TaskLength;
  /** Missing for tasks whose training reads nothing but its rows. */
  readonly preparation?: TaskPreparation<Data, Rows>;
  /** Missing for tasks that no other model teaches. */
  readonly teaching?: TaskTeaching<Data, Rows>;
  /**
   * Builds the model, with a head for these classes.
   *
   * @param reading the section without the names of files, if the model depends on it
   */
  build(labels: readonly string[], reading?: Partial<ReadingOf<Data>>): BuildTask;
  /**
   * Encodes rows.
   *
   * @throws UserError for rows from which nothing can be learned, with their lines
   */
  examples(rows: Rows, context: EncodingContext<Data>): ExampleSet;
  evaluation(rows: Rows, context: EncodingContext<Data>, batchSize: number): Evaluation;
  readonly scores: TaskScores<Data>;
  /** Missing for tasks without baselines. */
  readonly baselines?: TaskBaselines<Data, Rows>;
  /** How the task predicts. If it is missing, {@link TaskTexts.instead} explains an alternative. */
  readonly prediction?: Prediction<Data, Input>;
  /** Recognizes a model or adapter that adalora did not train. Undefined if it is not for this task. */
  recognizes(model: UnknownTrained): Recognized | undefined;
  readonly words: TaskTexts<Data>;
}

/**
 * Files with what their rows name, such as images. Files that have been completed stay as they are.
 *
 * @throws UserError for files of another modality than the model's
 */
export function withContents<File extends TextFile>(
  files: readonly File[],
  { files: { contents } }: AnyTask,
  modality: Modality,
  reading: ReadingOf<BaseData>,
): Promise<readonly File[]> {
  const columns = contents?.(reading) ?? [];
  return modality.withContent(files, columns, reading);
}

/** The facts besides the rows that determine a task's classes. */
export interface LabelOrigin {
  /** Name of the file with the rows. */
  fileName: string;
  definition: ModelDefinition;
  config: CommonConfig;
  /** The adapter that training continues, with its classes if it records them. */
  adapter?: { path: string; labels?: readonly string[]; tensors: AdapterTensors };
}

/** A model or adapter that adalora did not train. */
export interface UnknownTrained {
  definition: ModelDefinition;
  /** The fields of the base model's config.json that its family uses. */
  config: CommonConfig;
  /** The base model's config.json. */
  json: Readonly<Record<string, unknown>>;
  /** An adapter's `task_type` in PEFT (null if it has none). Undefined for a whole model. */
  taskType: string | null | undefined;
  /** The first class name in `architectures` of config.json. */
  architecture: string | undefined;
  /** The number of outputs of the adapter's head, if the head fits a task's model. Undefined without a head. */
  outputsOf(build: BuildTask): number | undefined;
}

export interface Recognized {
  labels: readonly string[];
  /** Keys of the `data` section that prediction needs. */
  data: object;
}
