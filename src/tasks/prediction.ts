import type { OnSkipped } from '../input/data/rows.ts';
import type { CommonConfig } from '../models/model-definition.ts';
import type { RowModel } from '../program/example-set.ts';
import type { GenerationSources } from '../program/generation/generation-settings.ts';
import type { GenerationInput } from '../program/generation/prompt.ts';
import type { TextGenerator } from '../program/generation/text-generator.ts';
import type { Modality } from '../program/modalities/modality.ts';
import type { LinearLayer } from '../program/objectives/sentence-classifier.ts';
import type { Predictor } from '../program/program.ts';
import type { SpokenSegment } from '../support/subtitles.ts';
import type { InputShape } from './assert-input.ts';
import type { ValidationFiles } from './data-files.ts';

/** Fits a linear layer to a model's features of the training rows. */
export type FitLayer = (model: Omit<RowModel, 'layer'>) => Promise<LinearLayer>;

/** The keys that every task's `data` section has. */
export interface BaseData {
  dataset?: string | undefined;
  subset?: string | undefined;
  train: string | readonly string[];
  validation?: ValidationFiles | undefined;
  max_length?: number | undefined;
}

/** How to read a file: a `data` section without the names of files. */
export type ReadingOf<Data extends BaseData> = Omit<Data, keyof BaseData>;

/** Flags of a command that change how a file is read. Their names are keys of `data`. */
export type ReadingFlags = Readonly<Record<string, string | number | boolean>>;

/** The parts needed to make examples from rows. */
export interface EncodingContext<Data extends BaseData = BaseData> {
  reading: ReadingOf<Data>;
  labels: readonly string[];
  /** The content of rows. */
  modality: Modality;
  /** The fields of the model's config.json. */
  config: CommonConfig;
  /** Reads the generation settings in the model's files. */
  generationFiles(): Omit<GenerationSources, 'user'>;
  seed: number;
  /** Whether examples are for training, so that images may be augmented. */
  isTraining?: boolean;
  /** The linear layer on a model's vectors, or a function that fits one to the training rows. For models of vectors. */
  layer?: LinearLayer | FitLayer | undefined;
  /** In training, what the task's `preparation` has computed for each row. Undefined while a run is only planned. */
  prepared?: readonly Float32Array[] | undefined;
  /** Weight of each class in training, if they are not equal. */
  classWeights?: readonly number[];
  /** Called from time to time with the completed share. */
  onProgress?: (share: number) => void;
}

/** A task's answer for one input. It can be written as JSON. */
export type Answer = object;

/** A format for answers other than JSON, with one line per answer. */
export interface AnswerFormat<Input> {
  header?: string;
  /** Keys of `data` that its answers need. */
  readonly reading?: ReadingFlags;
  /** Formats an answer. `place` is the index of the input among all inputs, from 0, including skipped ones. */
  line(answer: Answer, input: Input, place: number): string;
  /** Warning about skipped rows. */
  readonly ofSkipped?: string;
}

/** A label of a text and the model's score for it. */
export interface LabelScore {
  label: string;
  score: number;
}

/** A named entity in a text. Its characters are [start, end). */
interface EntityScore {
  entity_group: string;
  score: number;
  word: string;
  start: number;
  end: number;
}

/** The span of a context that answers a question. Its code points are [start, end). */
interface AnswerScore {
  answer: string;
  score: number;
  start: number;
  end: number;
}

/** The transcript of a sound, with times in seconds. Segments are given if they were asked for. */
export interface ServedTranscript {
  text: string;
  duration: number;
  segments?: SpokenSegment[];
}

/**
 * An answer in the format of transformers' pipelines: all labels (the best first), the entities in order, or the span; or
 * a transcript.
 */
export type ServedAnswer = LabelScore[] | EntityScore[] | AnswerScore | ServedTranscript;

/** How a server's clients send inputs and receive answers. */
interface ServedForm<Data extends BaseData, Input> {
  /**
   * Turns a request into an input.
   *
   * @param second the second text of a pair
   * @throws UserError if the task does not accept such an input
   */
  input(text: string, second: string | undefined, reading: ReadingOf<Data>): Input;
  /**
   * Turns an answer into the format of transformers' pipelines.
   *
   * @param raw whether scores are the model's logits instead of probabilities
   */
  answer(answer: Answer, input: string, labels: readonly string[], raw: boolean): ServedAnswer;
}

/** Options for computing a text's vector. */
export interface EmbedOptions {
  /** Prepended to each text. Default: the model's prompt. */
  prompt?: string;
  /** Name of the prompt in the model's files, such as `query`. */
  promptName?: string;
  /**
   * Number of components to keep, for models trained for several widths. As with `truncate_dim` of
   * sentence-transformers, they are not scaled again.
   */
  dimensions?: number;
}

/** Computes vectors of texts, for tasks that answer with a vector. */
export interface Vectors<Data extends BaseData, Input> {
  /**
   * Turns a text into an input.
   *
   * @throws UserError for an unknown prompt name, and for more dimensions than the model has
   */
  input(text: string, options: EmbedOptions, context: EncodingContext<Data>): Input;
  of(answer: Answer): { embedding: Float32Array; tokens: number };
}

/** How a task gets its inputs. */
export interface PredictionInput<Data extends BaseData, Input> {
  /**
   * Parses the inputs of a file, or without a name those of standard input.
   *
   * @throws UserError for bad rows, with their lines
   */
  parse(
    content: string,
    fileName: string | undefined,
    reading: ReadingOf<Data>,
    onSkipped?: OnSkipped,
  ): Input[];
  /**
   * Returns a function that turns a typed line into an input. Undefined if an input needs several texts, such as a
   * pair.
   */
  line?(reading: ReadingOf<Data>): ((text: string) => Input) | undefined;
  /** The shape of inputs from a user's program. */
  shape(reading: ReadingOf<Data>): InputShape;
  /** Number of inputs to answer together, for a batch size. By default, enough for batches of similar lengths. */
  atOnce?(batchSize: number): number;
}

/** How a task's answers are written. */
export interface PredictionOutput<Input> {
  /** Converts an answer to JSON. With `details`, it includes rarely needed parts, such as logits. */
  json(answer: Answer, details: boolean, labels: readonly string[]): object;
  /** Formats an answer for a terminal. */
  describe(answer: Answer, labels: readonly string[]): string;
  /** Formats of its answers other than JSON Lines, by name. */
  readonly formats?: Readonly<Record<string, AnswerFormat<Input>>>;
  /** Writes all answers in an official format. Returns the files' contents by name. Missing without such a format. */
  files?(inputs: readonly Input[], answers: readonly Answer[]): Readonly<Record<string, string>>;
}

/** The input of text generation. */
interface GenerationRequest {
  prompt: Int32Array;
  input: GenerationInput;
}

/**
 * How a task predicts.
 *
 * @typeParam Input a text, a pair, or a list of words
 */
export interface Prediction<Data extends BaseData, Input> {
  readonly input: PredictionInput<Data, Input>;
  /** Answers inputs, in their order. */
  answer(
    inputs: readonly Input[],
    tuned: { program: Predictor; values: Float32Array; generator(): Promise<TextGenerator> },
    context: EncodingContext<Data>,
    batchSize: number,
  ): Promise<Answer[]>;
  /**
   * For tasks whose answers are generated texts: the prompt for a text, and the settings of the run. Keys of `input`
   * override them.
   *
   * @throws UserError for keys that contradict each other or have no effect on the model
   */
  writes?(text: string, context: EncodingContext<Data>, input: GenerationInput): GenerationRequest;
  readonly output: PredictionOutput<Input>;
  /** Set for tasks with vectors as answers. */
  readonly vectors?: Vectors<Data, Input>;
  /** The form of requests and answers in a server. Missing if no server supports the task. */
  readonly served?: ServedForm<Data, Input>;
}
