import type { OnSkipped } from '../data/row.ts';
import type { TextGenerator } from '../generation/text-generator.ts';
import type { Predictor } from '../program/program.ts';
import type { InputShape } from './assert-input.ts';
import type { ServedAnswer } from './served-answer.ts';
import type { BaseData, EncodingContext, ReadingFlags, ReadingOf } from './task-definition.ts';

/** What a task answers for one input: ready to be written as JSON. */
export type Answer = object;

/** Answers as lines of another form than JSON. */
export interface AnswerFormat<Input> {
  header: string;
  /** `place`: of the input among all, those that were left out too, from 0. */
  line(answer: Answer, input: Input, place: number): string;
  /** What whoever gets such lines makes of rows that were left out. */
  readonly ofSkipped?: string;
}

/** How clients of a server give inputs and get answers. */
export interface ServedForm<Data extends BaseData, Input> {
  /**
   * @param second of a pair
   * @throws UserError where the task takes no such input
   */
  input(text: string, second: string | undefined, reading: ReadingOf<Data>): Input;
  /** @param raw whether scores are wanted as the model gives them, and not as probabilities */
  answer(answer: Answer, input: string, labels: readonly string[], raw: boolean): ServedAnswer;
}

/** How a text's vector is asked for. */
export interface EmbedOptions {
  /** What is put before each text; by default what the model says. */
  prompt?: string;
  /** The same by the name that the model's files have for it, such as `query`. */
  promptName?: string;
  /** Components that are kept, for models trained for several widths; then vectors have length 1. */
  dimensions?: number;
}

/** What a task's answers are as vectors. */
export interface Vectors<Data extends BaseData, Input> {
  /** @throws UserError for a prompt's name that is not known, and for more dimensions than the model has */
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
   * How a file without answers is read: as in the run, but for what flags say. `file` is missing for standard input.
   *
   * @throws UserError for a flag that means nothing for the task
   */
  withFlags(reading: ReadingOf<Data>, flags: ReadingFlags, file?: string): ReadingOf<Data>;
  /** @throws UserError for bad rows with their lines */
  inputs(content: string, fileName: string, reading: ReadingOf<Data>, onSkipped?: OnSkipped): Input[];
  /** What its inputs are, for those of a program. */
  shape(reading: ReadingOf<Data>): InputShape;
  /** Other forms of its answers than JSON Lines, by name. */
  readonly formats?: Readonly<Record<string, AnswerFormat<Input>>>;
  /** Standard input, which has no name to tell its format. */
  typed(content: string, reading: ReadingOf<Data>, onSkipped?: OnSkipped): Input[];
  /** What makes an input of a text that a person types; undefined where one text is none, as for pairs. */
  line?(reading: ReadingOf<Data>): ((text: string) => Input) | undefined;
  /** Inputs that are answered together, for a batch size; by default so many that like lengths share a batch. */
  inputsAtOnce?(batchSize: number): number;
  /** Answers some inputs in their order. */
  answer(
    inputs: readonly Input[],
    tuned: { program: Predictor; values: Float32Array; generator(): Promise<TextGenerator> },
    context: EncodingContext<Data>,
    batchSize: number,
  ): Promise<Answer[]>;
  /** An answer as one line of JSON has it. `details`: with what is seldom wanted, such as logits. */
  json(answer: Answer, details: boolean, labels: readonly string[]): object;
  /** For tasks whose answers are vectors of texts. */
  readonly vectors?: Vectors<Data, Input>;
  /** How a server asks and answers; missing where it does not. */
  readonly served?: ServedForm<Data, Input>;
  /** All answers in the files of an official format, by name; missing where there is none. */
  files?(inputs: readonly Input[], answers: readonly Answer[]): Readonly<Record<string, string>>;
  /** An answer for people. */
  describe(answer: Answer, labels: readonly string[]): string;
}
