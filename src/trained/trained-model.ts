import { isRows, type Rows, rowsText, textInMemory } from '../data/rows.ts';
import type { TextFile } from '../data/text-file.ts';
import type { Generated } from '../generation/generated.ts';
import type { GenerationSources } from '../generation/generation-settings.ts';
import { openLanguageModel } from '../generation/open-language-model.ts';
import type { GenerateTextOptions, GenerationInput, Prompt } from '../generation/prompt.ts';
import { TextGenerator } from '../generation/text-generator.ts';
import { type OwnMetrics, ownMetricProblems } from '../metrics/own-metrics.ts';
import { writesText } from '../models/heads/registry.ts';
import type { Communicator } from '../parallel/communicator.ts';
import { NotFinite } from '../program/check-finite.ts';
import type { Engine } from '../program/engine.ts';
import type { Confusion, Scores } from '../program/example-set.ts';
import type { LoadedModel } from '../program/model-weights.ts';
import { ownScoresOf, withOwnScores } from '../program/own-scores.ts';
import { Program } from '../program/program.ts';
import { shown } from '../support/problem.ts';
import { UserError } from '../support/user-error.ts';
import { assertInput } from '../tasks/assert-input.ts';
import type { Texts } from '../tasks/labelled-texts/encoded-set.ts';
import { type AnyTask, type TaskName, taskNamed } from '../tasks/registry.ts';
import type { ClassAnswer } from '../tasks/single-label-classification/definition.ts';
import type { EncodingContext } from '../tasks/task-definition.ts';
import type { ChatTemplate } from '../text/chat/chat-template.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import type { TunedValues } from '../tuners/tuner.ts';
import type { Notes } from './notes.ts';

/** What makes a trained model, wherever its files lie. */
export interface TrainedParts extends TunedValues {
  /** As the user calls it. */
  path: string;
  model: LoadedModel;
  engine: Engine;
  /** Those who share the work of answers and scores. */
  communicator?: Communicator;
  /** Undefined for tasks that are none here. */
  notes: Notes | undefined;
  text: {
    tokenizer: TextTokenizer;
    /** Tokens that an example may have. */
    maxLength: number;
    vocabSize: number;
    chatTemplate(now?: Date): ChatTemplate;
  };
  /** What the model's files say of generation. */
  generationFiles(): Omit<GenerationSources, 'user'>;
  /** Examples computed at once; by default the task's. */
  batchSize?: number;
  /** Whether a conversation's next prompt is read from where the last one ended. */
  continues?: boolean;
}

export interface EvaluateOptions {
  /** Scores of one's own, as in a run's config. */
  metrics?: OwnMetrics;
  /** Told of rows that are left out. */
  onNotice?(message: string): void;
  /** Told which class was taken for which, where a row has one class. */
  onConfusion?(confusion: Confusion): void;
}

/** Inputs that wait for each other, so that like lengths share a batch. */
const INPUTS_AT_ONCE = 1024;

/** A model that answers, is scored, or writes. Its sessions open when they are first needed. Close it after use. */
export class TrainedModel {
  readonly parts: TrainedParts;
  #program: Program | undefined;
  #generator: Promise<TextGenerator> | undefined;

  constructor(parts: TrainedParts) {
    this.parts = parts;
  }

  /** The name of its task; undefined where that is none of this program's. */
  get task(): TaskName | undefined {
    return this.parts.notes?.task;
  }

  /** Class names by id; none for tasks without. */
  get labels(): readonly string[] {
    return this.parts.notes?.labels ?? [];
  }

  /**
   * Answers inputs in their order. What an input and an answer is, the task says: classifications take
   * `{ text, textPair? }` and give `{ label, probabilities, logits }`; of other tasks a program says the types
   * (`predict<Words, TaggedWords>(…)`).
   *
   * @param reading keys of the task's `data` section, where they are not as in its run
   * @throws UserError for tasks that do not answer, and naming an input that is none; NotFinite naming a row for which the model gives no finite numbers
   */
  async *predict<Input = Texts, Answer = ClassAnswer>(
    inputs: Iterable<Input>,
    reading?: object,
  ): AsyncGenerator<Answer> {
    const { prediction, batchSize } = this.definition();
    if (!prediction) throw this.cannotPredict();
    const { values } = this.parts;
    if (typeof Object(inputs)[Symbol.iterator] !== 'function')
      throw new UserError({ where: 'inputs', expected: 'a list of them', got: shown(inputs) });
    const context = this.context(reading);
    const shape = prediction.shape(context.reading);
    const tuned = { program: this.#opened(), values, generator: () => this.generator() };
    const size = this.parts.batchSize ?? batchSize.eval;
    let before = 0;
    for (const chunk of chunks(inputs, prediction.inputsAtOnce?.(size) ?? INPUTS_AT_ONCE)) {
      for (const [i, input] of chunk.entries()) assertInput(input, shape, before + i + 1);
      try {
        yield* (await prediction.answer(chunk, tuned, context, size)) as Answer[];
      } catch (error) {
        throw error instanceof NotFinite ? new NotFinite(before + error.example) : error;
      }
      before += chunk.length;
    }
  }

  /**
   * Scores the model on files or on rows: `eval_loss` and `eval_<metric>` for the metrics of its task and those of your own.
   *
   * @param reading keys of the task's `data` section, where they are not as in its run
   * @throws UserError as a run does for its validation data and for scores of one's own
   */
  async evaluate(
    data: readonly TextFile[] | Rows,
    reading: object = {},
    { metrics = {}, onNotice, onConfusion }: EvaluateOptions = {},
  ): Promise<Scores> {
    for (const { path, ...complaint } of ownMetricProblems(Object.keys(metrics)))
      throw new UserError({ where: path.join('.'), ...complaint });
    const task = this.definition();
    const files = filesOrRows(data);
    const said = Object.entries(reading).filter(([, value]) => value !== undefined);
    const own = this.context().reading;
    const context = this.context(task.withFlags(own, Object.fromEntries(said), files[0].name));
    const size = this.parts.batchSize ?? task.batchSize.eval;
    const rows = task.read(files, context.reading);
    if (onNotice) for (const message of task.notices?.(rows) ?? []) onNotice(message);
    const evaluation = withOwnScores(task.evaluation(rows, context, size), ownScoresOf(metrics));
    return evaluation.run(this.#opened(), this.parts.values, { onConfusion });
  }

  /** The text that follows a prompt: as {@link TextGenerator.generate}. */
  async generate(
    prompt: Prompt,
    config?: GenerationInput,
    options?: GenerateTextOptions,
  ): Promise<Generated> {
    return (await this.generator()).generate(prompt, config, options);
  }

  /**
   * What writes text with this model: it has one memory, so it does one thing at a time.
   *
   * @throws UserError for models without a head that writes
   */
  generator(): Promise<TextGenerator> {
    this.#generator ??= this.#openGenerator();
    return this.#generator;
  }

  async close(): Promise<void> {
    await this.#program?.release();
    await (await this.#generator?.catch(() => undefined))?.close();
    this.parts.model.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws UserError for a task that is none of this program's */
  definition(): AnyTask {
    const { notes, path, model } = this.parts;
    if (notes) return taskNamed(notes.task);
    throw new UserError({
      where: path,
      expected: 'a task that this program knows',
      got: `an adapter for ${model.headKind}`,
      hint: 'It can be merged into its base model (adalora merge).',
    });
  }

  /** Why a model of its task does not answer. */
  cannotPredict(): UserError {
    const { path } = this.parts;
    return new UserError({
      where: path,
      expected: 'a model that answers for each row',
      got: `one of task ${this.task}`,
      hint: this.definition().words.instead,
    });
  }

  /** What it takes to make examples for it; `reading`: keys of the `data` section that are not as in its run. */
  context(reading?: object): EncodingContext {
    const { notes, text, model } = this.parts;
    const { max_length: _, ...columns } = notes?.data ?? {};
    const { tokenizer, maxLength, vocabSize } = text;
    return {
      ...{ tokenizer, maxLength, vocabSize, config: model.config },
      chatTemplate: () => text.chatTemplate(),
      generationFiles: () => this.parts.generationFiles(),
      reading: { ...columns, ...reading },
      labels: this.labels,
      seed: 0,
    };
  }

  #opened(): Program {
    const { engine, model, tuner, communicator } = this.parts;
    this.#program ??= new Program(engine, model, tuner, { communicator });
    return this.#program;
  }

  async #openGenerator(): Promise<TextGenerator> {
    const { engine, model, tuner, values, text, notes, continues, path } = this.parts;
    if (!writesText(model.headKind)) {
      throw new UserError({
        where: path,
        expected: 'a model that writes text',
        got: `one of ${model.headKind}`,
      });
    }
    const language = await openLanguageModel({ engine, model, tuner, values }, { continues });
    return new TextGenerator({
      model: language,
      tokenizer: text.tokenizer,
      chatTemplate: () => text.chatTemplate(),
      files: this.parts.generationFiles(),
      isChat: notes?.data.messages !== undefined,
      close: () => language.release(),
    });
  }
}

function filesOrRows(data: readonly TextFile[] | Rows): readonly TextFile[] {
  if (!isRows(data))
    throw new UserError({ where: 'evaluate', expected: 'a file, or rows', got: shown(data) });
  const areFiles = data.length > 0 && data.every((item) => 'read' in item && typeof item.read === 'function');
  return areFiles ? (data as readonly TextFile[]) : [textInMemory('rows.jsonl', rowsText(data, 'evaluate'))];
}

function* chunks<T>(items: Iterable<T>, size: number): Iterable<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
