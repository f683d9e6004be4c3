import type { OnSkipped } from '../data/row.ts';
import type { TextGenerator } from '../generation/text-generator.ts';
import type { Predictor } from '../program/program.ts';
import type { InputShape } from './assert-input.ts';
import type { ServedAnswer } from './served-answer.ts';
import type { BaseData, EncodingContext, ReadingFlags, ReadingOf } from './task-definition.ts';

/** A task's answer for one input: ready to be written as JSON. */
export type Answer = object;

/** Answers as lines in another format than JSON. */
export interface AnswerFormat<Input> {
  header: string;
  /** Formats an answer. `place` is the index of the input among all inputs, from 0; skipped ones count. */
  line(answer: Answer, input: Input, place: number): string;
  /** Warning for skipped rows. */
  readonly ofSkipped?: string;
}

/** How clients of a server send inputs and receive answers. */
export interface ServedForm<Data extends BaseData, Input> {
  /**
   * Turns a request into an input.
   *
   * @param second the second text of a pair
   * @throws UserError if the task does not accept such an input
   */
  input(text: string, second: string | undefined, reading: ReadingOf<Data>): Input;
  /**
   * Turns an answer into the format of pipelines.
   *
   * @param raw whether scores are the model's logits instead of probabilities
   */
  answer(answer: Answer, input: string, labels: readonly string[], raw: boolean): ServedAnswer;
}

/** Options for a text's vector. */
export interface EmbedOptions {
  /** Prepended to each text; by default the model's prompt. */
  prompt?: string;
  /** Name of the prompt in the model's files, such as `query`. */
  promptName?: string;
  /** Number of components to keep, for models trained for several widths; then vectors have length 1. */
  dimensions?: number;
}

/** Vectors of texts, for tasks that answer with a vector. */
export interface Vectors<Data extends BaseData, Input> {
  /**
   * Turns a text into an input.
   *
   * @throws UserError for an unknown prompt name, and for more dimensions than the model has
   */
  input(text: string, options: EmbedOptions, context: EncodingContext<Data>): Input;
  of(answer: Answer): { embedding: Float32Array; tokens: number };
}

/**
 * How a task predicts.
 *
 * @typeParam Input a text, a pair, a list of words
 */
export interface Prediction<Data extends BaseData, Input> {
  /**
   * How to read a file without answers: as in the run, with changes by flags. `file` is undefined for standard
   * input.
   *
   * @throws UserError for a flag that the task does not support
   */
  withFlags(reading: ReadingOf<Data>, flags: ReadingFlags, file?: string): ReadingOf<Data>;
  /**
   * Parses the inputs of a file.
   *
   * @throws UserError for bad rows with their lines
   */
  inputs(content: string, fileName: string, reading: ReadingOf<Data>, onSkipped?: OnSkipped): Input[];
  /** The shape of inputs that come from a program. */
  shape(reading: ReadingOf<Data>): InputShape;
  /** Formats of its answers other than JSON Lines, by name. */
  readonly formats?: Readonly<Record<string, AnswerFormat<Input>>>;
  /** Parses standard input, which has no name that shows its format. */
  typed(content: string, reading: ReadingOf<Data>, onSkipped?: OnSkipped): Input[];
  /** Turns a typed line into an input; undefined if inputs need more than one text, such as pairs. */
  line?(reading: ReadingOf<Data>): ((text: string) => Input) | undefined;
  /** Number of inputs answered together, for a batch size; by default enough that similar lengths share a batch. */
  inputsAtOnce?(batchSize: number): number;
  /** Answers some inputs in their order. */
  answer(
    inputs: readonly Input[],
    tuned: { program: Predictor; values: Float32Array; generator(): Promise<TextGenerator> },
    context: EncodingContext<Data>,
    batchSize: number,
  ): Promise<Answer[]>;
  /** An answer as JSON. With `details`, it includes rarely needed parts, such as logits. */
  json(answer: Answer, details: boolean, labels: readonly string[]): object;
  /** Set for tasks whose answers are vectors of texts. */
  readonly vectors?: Vectors<Data, Input>;
  /** The server's requests and answers; missing if no server supports the task. */
  readonly served?: ServedForm<Data, Input>;
  /** All answers as the files of an official format, by name; missing without such a format. */
  files?(inputs: readonly Input[], answers: readonly Answer[]): Readonly<Record<string, string>>;
  /** An answer as text for a terminal. */
  describe(answer: Answer, labels: readonly string[]): string;
}
