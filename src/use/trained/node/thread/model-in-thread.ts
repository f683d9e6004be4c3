import type { Rows } from '../../../../input/data/rows.ts';
import type { Scores } from '../../../../program/example-set.ts';
import type { Generated, Prompt, WriteOptions } from '../../../../program/generation/prompt.ts';
import { Caller, type CallOptions } from '../../../../support/calls/caller.ts';
import { assertOptions, FUNCTION, SIGNAL } from '../../../../support/options.ts';
import { revived, UserError } from '../../../../support/user-error.ts';
import type { EmbedOptions } from '../../../../tasks/prediction.ts';
import type { AnswerOf, AnyTaskName, InputOf, UsualTask } from '../../../../tasks/prediction-types.ts';
import type { TaskName } from '../../../../tasks/registry.ts';
import { closedModel } from '../../closed-model.ts';
import { inputChunks } from '../../input-chunks.ts';
import {
  EMBED_OPTIONS,
  type EvaluateParams,
  PREDICT_OPTIONS,
  type PredictOptions,
} from '../../model-options.ts';
import { type Predictions, predictionsOf } from '../../predictions.ts';
import type { MergeOptions } from '../merge.ts';
import type { ExportOptions } from '../open.ts';
import { evaluateThere } from './evaluate-there.ts';
import type { ModelCard, ModelMessage } from './model-job.ts';

/** The part of a `Worker` that is used here. With it, these declarations need no Node types. */
interface Thread {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: ModelMessage) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
}

/**
 * A trained model that computes in its own thread, so that the caller's event loop stays free. Simultaneous predictions
 * share batches. Close it after use, or declare it with `await using`.
 */
export class ModelInThread<Task extends AnyTaskName = UsualTask> {
  readonly #path: string;
  readonly #card: ModelCard;
  readonly #worker: Thread;
  readonly #caller: Caller;
  readonly #ended: Promise<void>;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** @param worker runs `model-thread.ts` and has reported that it is ready */
  constructor(path: string, card: ModelCard, worker: Thread) {
    this.#path = path;
    this.#card = card;
    this.#worker = worker;
    this.#caller = new Caller(
      {
        send: (message) => worker.postMessage(message),
        onMessage(listener) {
          worker.on('message', (message) => {
            if ('id' in message) listener(message);
          });
        },
      },
      revived,
    );
    this.#ended = new Promise((resolve) => worker.on('exit', () => resolve()));
    worker.on('error', (error) => this.#caller.fail(error));
    worker.on('exit', (code) => this.#caller.fail(new Error(`the model's thread ended with code ${code}`)));
    // A program can end without closing its models.
    worker.unref();
  }

  /** The name of its task. Undefined for a task that adalora does not know. */
  get task(): TaskName | undefined {
    return this.#card.task;
  }

  /** Class names by id; empty for tasks without classes. */
  get labels(): readonly string[] {
    return this.#card.labels;
  }

  /**
   * Predicts for one text, or for inputs in their order. A list has texts, or objects with the names of the task's
   * columns: `{ text, text_pair }` for pairs. Iterate over the answers with `for await`, or await all of them. With `task` in the options of
   * `open`, their types are the task's.
   *
   * @param options `signal` ends the prediction; `reading` replaces the run's columns and maximum length
   * @returns the answer to the text, or one answer per input
   * @throws UserError for tasks that do not predict, and for an input that the task does not accept; ComputationError
   * that names the row for which the model returns no finite numbers; the signal's reason
   * @example
   * ```ts
   * import { open } from 'adalora';
   *
   * await using model = await open('runs/reviews');
   * for await (const { label } of model.predict(['Good.', { text: 'Bad.' }])) console.log(label);
   * ```
   */
  predict(text: string, options?: PredictOptions): Promise<AnswerOf<Task>>;
  predict<Input = InputOf<Task>, Answer = AnswerOf<Task>>(
    inputs: Iterable<string | NoInfer<Input>>,
    options?: PredictOptions,
  ): Predictions<Answer>;
  predict(
    inputs: string | Iterable<unknown>,
    options: PredictOptions = {},
  ): Predictions<object> | Promise<object> {
    if (typeof inputs !== 'string') return predictionsOf(this.#predictAll(inputs, options));
    const answers = this.#predictAll([inputs], options);
    return answers.next().then(({ value }) => value);
  }

  async *#predictAll(inputs: Iterable<unknown>, options: PredictOptions): AsyncGenerator<object> {
    assertOptions('predict', options, PREDICT_OPTIONS);
    const { reading, signal } = options;
    const { inputsAtOnce } = this.#card;
    if (inputsAtOnce === undefined) await this.#call('predict', [[], reading, 0]);
    let before = 0;
    for (const chunk of inputChunks(inputs, inputsAtOnce ?? 1)) {
      yield* await this.#call<object[]>('predict', [chunk, reading, before], { signal });
      before += chunk.length;
    }
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
    const vectors: Float32Array[] = [];
    for (const chunk of inputChunks(texts, this.#card.inputsAtOnce ?? 1))
      vectors.push(...(await this.#call<Float32Array[]>('embed', [chunk, asked], { signal })));
    return vectors;
  }

  /**
   * Scores the model on a file, a folder of texts, or rows: `eval_loss` and `eval_<metric>` for the metrics of its task
   * and your own. Your functions are called in this thread.
   *
   * @throws UserError as in a run, for its validation data and for your own scores; any error of your `metrics`; the
   * signal's reason
   */
  evaluate(params: EvaluateParams<string | Rows>): Promise<Scores> {
    return evaluateThere((...call) => this.#call(...call), params);
  }

  /**
   * Generates the text after a prompt, or an encoder-decoder's output for it. Waiting calls with equal settings share a
   * batch.
   *
   * @param prompt a text, or the messages of a conversation
   * @param options keys of transformers' `GenerationConfig`, and `seed`, `signal` and `onText`; defaults are those of the
   * model's files
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
    const { signal, onText, ...config } = options;
    // The other keys are checked in the thread.
    assertOptions('generate', { signal, onText }, { signal: SIGNAL, onText: FUNCTION });
    const ending = new AbortController();
    const ends = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
    const onUpdate = (text: string) => {
      try {
        onText?.(text);
      } catch (error) {
        ending.abort(error);
      }
    };
    return this.#call('generate', [prompt, config, onText !== undefined], { signal: ends, onUpdate });
  }

  /**
   * Writes the merged model as a checkpoint.
   *
   * @param output a new or empty folder
   * @throws UserError for a folder with files in it, a model without an adapter, a method that cannot be merged, and
   * values that `dtype` cannot represent
   */
  merge(output: string, options: MergeOptions = {}): Promise<void> {
    return this.#call('merge', [output, options]);
  }

  /**
   * Writes the model, or only its adapter, in another equivalent form.
   *
   * @param form `onnx`, a folder that transformers.js and Optimum load; `gguf`, an adapter for llama.cpp and Ollama; or
   * another form of the adapter, such as plain LoRA for AdaLoRA
   * @param output a new or empty folder
   * @param options options of this form
   * @throws UserError that names the available forms, for a folder with files in it, and for types of weights that are
   * unknown or cannot represent a value
   */
  export(form: string, output: string, options: ExportOptions = {}): Promise<void> {
    return this.#call('export', [form, output, options]);
  }

  /** Waits for pending calls, then ends the thread. Later calls throw. Closing twice has no effect. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    this.#worker.ref();
    await Promise.allSettled(this.#underWay);
    // The thread ends by itself, because terminating it while the engine runs would crash the process.
    await this.#caller.call('close', []).catch(() => {});
    await this.#ended;
  }

  async #call<Value, Told = never>(
    method: string,
    args: readonly unknown[],
    options?: CallOptions<Told>,
  ): Promise<Value> {
    // A pending evaluation still needs its scores.
    if (this.#closed && method !== 'scored') throw closedModel(this.#path);
    const answer = this.#caller.call<Value, Told>(method, args, options);
    this.#underWay.add(answer);
    this.#worker.ref();
    try {
      return await answer;
    } catch (error) {
      throw error instanceof DOMException && error.name === 'DataCloneError' ? notPlain(error) : error;
    } finally {
      this.#underWay.delete(answer);
      if (this.#underWay.size === 0 && !this.#closed) this.#worker.unref();
    }
  }
}

function notPlain({ message }: Error): UserError {
  return new UserError({ where: 'the arguments', fault: `must be plain data: ${message}` });
}
