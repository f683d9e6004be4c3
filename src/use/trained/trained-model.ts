import type { z } from 'zod';
import { isRows, type Rows, rowsText, textInMemory } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { TunedValues } from '../../methods/tuners/tuner.ts';
import { writesText } from '../../models/heads/registry.ts';
import type { Engine } from '../../program/engine.ts';
import type { EvaluationWatch, Scores } from '../../program/example-set.ts';
import { openLanguageModel } from '../../program/generation/causal-language-model.ts';
import { GENERATION_KEYS } from '../../program/generation/generation-config.ts';
import type { GenerationSources } from '../../program/generation/generation-settings.ts';
import type { Generated, Prompt, WriteOptions } from '../../program/generation/prompt.ts';
import { TextGenerator } from '../../program/generation/text-generator.ts';
import { writtenTexts } from '../../program/modalities/contents.ts';
import type { Modality } from '../../program/modalities/modality.ts';
import { type OwnScores, readOwnScores, withOwnScores } from '../../program/own-scores.ts';
import { Program } from '../../program/program.ts';
import { untilAborted } from '../../program/until-aborted.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { assertOwnMetrics } from '../../scores/metrics/own-metrics.ts';
import { OnDemand, releaseAll } from '../../support/opened.ts';
import { ANYTHING, assertOptions, FUNCTION, NUMBER, type OptionType, SIGNAL } from '../../support/options.ts';
import { PROGRAM } from '../../support/program.ts';
import { shown, UserError } from '../../support/user-error.ts';
import { assertInput } from '../../tasks/assert-input.ts';
import type { TextInput } from '../../tasks/labeled/read-inputs.ts';
import type {
  Answer,
  BaseData,
  EmbedOptions,
  EncodingContext,
  Prediction,
  Vectors,
} from '../../tasks/prediction.ts';
import { type TaskName, taskNamed } from '../../tasks/registry.ts';
import type { ClassAnswer } from '../../tasks/single-label-classification/definition.ts';
import type { AnyTask } from '../../tasks/task-definition.ts';
import { withContents } from '../../tasks/task-definition.ts';
import { namingNotFinite } from './finite-values.ts';
import {
  EMBED_OPTIONS,
  EVALUATE_OPTIONS,
  type EvaluateParams,
  type EvaluationOptions,
  PREDICT_OPTIONS,
  type PredictOptions,
} from './model-options.ts';
import { type Notes, readingSchema } from './notes.ts';
import { closedModel, createPredictions, inputChunks, type Predictions } from './predictions.ts';

/** The parts of a trained model, wherever its files come from. */
export interface TrainedParts extends TunedValues {
  /** The path or name that the user gave. */
  path: string;
  model: LoadedModel;
  engine: Engine;
  /** Undefined for unknown tasks. */
  notes: Notes | undefined;
  /** The content of its rows. */
  modality: Modality;
  /** Reads the generation settings in the model's files. */
  generationFiles(): Omit<GenerationSources, 'user'>;
  /** Number of examples computed at once. Default: the task's. */
  batchSize?: number;
  /** Whether a conversation's next prompt is read from the end of the last one. */
  continues?: boolean;
}

/** The values of the keys of a generation config are checked where they are merged with the model's files. */
const WRITE_OPTIONS = {
  ...Object.fromEntries(GENERATION_KEYS.map((key) => [key, ANYTHING])),
  seed: NUMBER,
  signal: SIGNAL,
  onText: FUNCTION,
  onRead: FUNCTION,
};

/** Number of inputs to collect, so that similar lengths share a batch. */
const INPUTS_AT_ONCE = 1024;

/** Options for predicting some inputs at once. */
export interface AnswerOptions extends PredictOptions {
  /** Number of inputs before these, for messages. */
  before?: number;
}

/** A model that predicts, is evaluated, or generates. Its sessions open on first use. Close it after use. */
export class TrainedModel {
  readonly parts: TrainedParts;
  #program: Program | undefined;
  readonly #generator = new OnDemand(() => this.#openGenerator());
  #closed: Promise<void> | undefined;

  constructor(parts: TrainedParts) {
    this.parts = parts;
  }

  /** The name of its task. Undefined for a task that adalora does not know. */
  get task(): TaskName | undefined {
    return this.parts.notes?.task;
  }

  /** Class names by id; empty for tasks without classes. */
  get labels(): readonly string[] {
    return this.parts.notes?.labels ?? [];
  }

  /**
   * Predicts for one text, or for inputs in their order. A list has texts, or objects with the names of the task's
   * columns: `{ text, text_pair }` for pairs. Iterate over the answers with `for await`, or await all of them. For tasks other than
   * classifications, name the types: `predict<Words, TaggedWords>(…)`.
   *
   * @throws UserError for tasks that do not predict, and for an input that the task does not accept; NotFinite that
   * names the row for which the model returns no finite numbers; the signal's reason
   */
  predict(text: string, options?: PredictOptions): Promise<ClassAnswer>;
  predict<Input = TextInput, Answer = ClassAnswer>(
    inputs: Iterable<string | NoInfer<Input>>,
    options?: PredictOptions,
  ): Predictions<Answer>;
  predict(
    inputs: string | Iterable<unknown>,
    options: PredictOptions = {},
  ): Predictions<object> | Promise<object> {
    if (typeof inputs !== 'string') return createPredictions(this.#predictAll(inputs, options));
    const answers = this.#predictAll([inputs], options);
    return answers.next().then(({ value }) => value);
  }

  async *#predictAll(inputs: Iterable<unknown>, options: PredictOptions): AsyncGenerator<object> {
    assertOptions('predict', options, PREDICT_OPTIONS);
    const { reading, signal } = options;
    let before = 0;
    for (const chunk of inputChunks(inputs, this.inputsAtOnce)) {
      yield* await this.answer(chunk, { reading, signal, before });
      before += chunk.length;
    }
  }

  /**
   * The best number of inputs to predict together.
   *
   * @throws UserError for tasks that do not predict
   */
  get inputsAtOnce(): number {
    return this.#prediction().input.atOnce?.(this.batchSize) ?? INPUTS_AT_ONCE;
  }

  /** Number of examples computed at once. */
  get batchSize(): number {
    return this.parts.batchSize ?? this.definition().training.batchSize.eval;
  }

  /**
   * Checks inputs without predicting.
   *
   * @throws UserError like {@link TrainedModel.predict}
   */
  check(inputs: readonly unknown[], { reading, before = 0 }: AnswerOptions = {}): void {
    const { input } = this.#prediction();
    if (reading) this.#checkReading(reading);
    const shape = input.shape(this.context(reading).reading);
    for (const [i, input] of this.#withKeys(inputs, reading).entries())
      assertInput(input, shape, before + i + 1);
  }

  /** Inputs, with an object for each plain text. A text stays if the task needs several. */
  #withKeys(inputs: readonly unknown[], reading: object | undefined): unknown[] {
    const line = this.#prediction().input.line?.(this.context(reading).reading);
    return inputs.map((input) => (typeof input === 'string' && line ? line(input) : input));
  }

  /** Predicts for some inputs together. {@link TrainedModel.predict} calls it for one part after the other. */
  async answer(inputs: readonly unknown[], options: AnswerOptions = {}): Promise<Answer[]> {
    const { reading, signal, before = 0 } = options;
    this.check(inputs, options);
    const program = untilAborted(this.#opened(), signal);
    const tuned = { program, values: this.parts.values, generator: () => this.generator() };
    const loaded = await this.parts.modality.readInputs(this.#withKeys(inputs, reading));
    const answer = () => this.#prediction().answer(loaded, tuned, this.context(reading), this.batchSize);
    return namingNotFinite(this.parts, answer, before);
  }

  /**
   * Returns a vector for each text, in their order: for an embedding model, or a base model opened with `embeds: true`.
   *
   * @returns one number per feature of the model in each vector, or `dimensions` numbers
   * @throws UserError for models of other tasks, and for a prompt name that the model does not have; the signal's
   * reason
   */
  async embed(
    texts: Iterable<string>,
    options: EmbedOptions & Pick<PredictOptions, 'signal'> = {},
  ): Promise<Float32Array[]> {
    assertOptions('embed', options, EMBED_OPTIONS);
    const { signal, ...asked } = options;
    const answers: Answer[] = [];
    const inputs = this.vectorInputs(texts, asked);
    for await (const answer of this.predict<unknown, Answer>(inputs, { signal })) answers.push(answer);
    return this.vectorsOf(answers);
  }

  /**
   * The inputs for {@link vectorsOf}.
   *
   * @throws UserError like {@link TrainedModel.embed}
   */
  vectorInputs(texts: Iterable<string>, options: EmbedOptions): unknown[] {
    const context = this.context();
    return Array.from(texts, (text) => this.#vectors.input(text, options, context));
  }

  /** The vectors in answers. */
  vectorsOf(answers: readonly Answer[]): Float32Array[] {
    return answers.map((answer) => this.#vectors.of(answer).embedding);
  }

  /**
   * Scores the model on files or on rows: `eval_loss` and `eval_<metric>` for the metrics of its task and your own.
   *
   * @throws UserError as in a run, for its validation data and for your own scores; the signal's reason
   */
  async evaluate(params: EvaluateParams<readonly TextFile[] | Rows>): Promise<Scores> {
    assertOptions('evaluate', params, EVALUATE_OPTIONS);
    const { data, metrics = {}, ...options } = params;
    return this.score(filesOrRows(data), { ...options, own: readOwnScores(assertOwnMetrics(metrics)) });
  }

  /** Like {@link TrainedModel.evaluate}, for files, with custom scores that may be computed elsewhere. */
  async score(
    files: readonly TextFile[],
    {
      reading = {},
      own,
      onNotice,
      onConfusion,
      onCertainty,
      signal,
    }: EvaluationOptions & Pick<EvaluationWatch, 'onCertainty'> & { own?: OwnScores } = {},
  ): Promise<Scores> {
    const task = this.definition();
    const said = Object.entries(reading).filter(([, value]) => value !== undefined);
    const flags = Object.fromEntries(said);
    const context = this.context(task.files.withFlags(this.context().reading, flags, files[0]!.name));
    const complete = await withContents(files, task, context.modality, context.reading);
    const rows = task.files.read(complete, context.reading);
    if (onNotice) for (const message of task.files.notices?.(rows) ?? []) onNotice(message);
    const evaluation = withOwnScores(task.evaluation(rows, context, this.batchSize), own);
    const program = untilAborted(this.#opened(), signal);
    const { values } = this.parts;
    return namingNotFinite(this.parts, () => evaluation.run(program, values, { onConfusion, onCertainty }));
  }

  /**
   * Generates the text after a prompt, or an encoder-decoder's output for it. Waiting calls with equal settings share a
   * batch.
   *
   * @param prompt a text, or the messages of a conversation
   * @param options keys of transformers' `GenerationConfig`, and `seed`, `signal`, `onText` and `onRead`; defaults are
   * those of the model's files
   * @returns the generated text, with the reason for its end
   * @throws UserError for a config, a prompt or a conversation that the model does not support; any error of `onText`;
   * the signal's reason
   * @example
   * ```ts
   * import { open } from 'adalora';
   *
   * await using model = await open('runs/chat', { task: 'causal_lm' });
   * const { text } = await model.generate('Once upon a time', { max_new_tokens: 40 });
   * ```
   */
  async generate(prompt: Prompt, options: WriteOptions = {}): Promise<Generated> {
    assertOptions('generate', options, WRITE_OPTIONS);
    const { seed, signal, onText, onRead, ...config } = options;
    return (await this.generator()).generate(prompt, config, { seed, signal, onText, onRead });
  }

  /**
   * The text generator of this model. It has one cache, so calls wait for each other.
   *
   * @throws UserError for models without a text generation head
   */
  async generator(): Promise<TextGenerator> {
    if (this.isClosed) throw closedModel(this.parts.path);
    return (await this.#generator.get()).generator;
  }

  protected get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Releases the sessions and closes the files. Closing twice has no effect. */
  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * @throws UserError for an unknown task
   */
  definition(): AnyTask {
    const { notes, path } = this.parts;
    if (notes) return taskNamed(notes.task);
    throw new UserError({
      where: path,
      fault: `is an adapter for a task that ${PROGRAM} does not know`,
      hint: 'You can merge it into its base model (adalora export --as merged).',
      code: 'unsupported',
    });
  }

  /** The error for a task that does not predict. */
  cannotPredict(): UserError {
    const { path } = this.parts;
    return new UserError({
      where: path,
      fault: `is a model for ${this.task}, which does not predict rows`,
      hint: this.definition().words.instead,
      code: 'unsupported',
    });
  }

  /** @throws UserError for a task that does not predict for each row */
  #prediction(): Prediction<BaseData, unknown> {
    const { prediction } = this.definition();
    if (prediction) return prediction;
    throw this.cannotPredict();
  }

  /** @throws UserError for keys that do not say how the task's files are read, and for invalid values */
  #checkReading(reading: object): void {
    const { shape } = readingSchema(this.task!);
    const types = Object.entries(shape as Record<string, z.ZodType>).map(
      ([key, schema]): [string, OptionType] => [
        key,
        { is: `a value of data.${key}, as in a config`, holds: (value) => schema.safeParse(value).success },
      ],
    );
    assertOptions('reading', reading, Object.fromEntries(types));
  }

  get #vectors(): Vectors<BaseData, unknown> {
    const { vectors } = this.definition().prediction ?? {};
    if (vectors) return vectors;
    throw new UserError({
      where: this.parts.path,
      fault: `is a model for ${this.task}, not an embedding model`,
      hint: 'For vectors of its base model, open that with `embeds: true`.',
      code: 'unsupported',
    });
  }

  /** The context for making examples. `reading` has keys of the `data` section that differ from the run's. */
  context(reading?: object): EncodingContext {
    const { notes, modality, model } = this.parts;
    const { max_length: _, ...columns } = notes?.data ?? {};
    return {
      modality,
      config: model.config,
      generationFiles: () => this.parts.generationFiles(),
      reading: { ...columns, ...reading },
      labels: this.labels,
      layer: notes?.layer,
      seed: 0,
    };
  }

  /** Replaces the adapter's values by those of another one of the same form. */
  async replaceValues(values: Float32Array): Promise<void> {
    this.parts.values.set(values);
    // The states of a conversation that it keeps depend on the values.
    await this.#generator.release();
  }

  async #release(): Promise<void> {
    try {
      await releaseAll([this.#program, this.#generator]);
    } finally {
      this.parts.model.close();
    }
  }

  #opened(): Program {
    if (this.isClosed) throw closedModel(this.parts.path);
    const { engine, model, tuner } = this.parts;
    this.#program ??= new Program(engine, model, tuner);
    return this.#program;
  }

  async #openGenerator(): Promise<{ generator: TextGenerator; release(): Promise<void> }> {
    const { engine, model, tuner, values, modality, notes, continues, path } = this.parts;
    if (!writesText(model.headKind)) {
      throw new UserError({
        where: path,
        fault: `is a model for ${this.task ?? 'another task'}, which does not generate text`,
        code: 'unsupported',
      });
    }
    const language = await openLanguageModel({ engine, model, tuner, values }, { continues, packed: true });
    const generator = new TextGenerator({
      model: language,
      texts: writtenTexts(modality),
      files: this.parts.generationFiles(),
      isChat: notes?.data.messages !== undefined,
      close: () => language.release(),
    });
    return { generator, release: () => generator.close() };
  }
}

function filesOrRows(data: readonly TextFile[] | Rows): readonly TextFile[] {
  if (!isRows(data))
    throw new UserError({
      where: 'evaluate',
      fault: `needs an object { data }, with a file or rows, got ${shown(data)}`,
      code: 'invalid_argument',
    });
  const areFiles = data.length > 0 && data.every((item) => 'read' in item && typeof item.read === 'function');
  return areFiles ? (data as readonly TextFile[]) : [textInMemory('rows.jsonl', rowsText(data, 'evaluate'))];
}
