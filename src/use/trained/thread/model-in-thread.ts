import type { Rows } from '../../../input/data/rows.ts';
import type { Scores } from '../../../program/example-set.ts';
import { type CalledThread, remote } from '../../../support/calls/caller.ts';
import { assertOptions } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import type { AnswerOf, AnyTaskName, InputOf, UsualTask } from '../../../tasks/prediction-types.ts';
import {
  EMBED_OPTIONS,
  type EvaluateParams,
  PREDICT_OPTIONS,
  type PredictOptions,
} from '../model-options.ts';
import type { OpenedModel } from '../opened-model.ts';
import { closedModel, createPredictions, inputChunks, type Predictions } from '../predictions.ts';
import type { ModelCard, ModelService } from './model-service.ts';

/** The names of methods that are called from other threads. */
export const MODEL_METHODS = [
  'open',
  'predict',
  'embed',
  'evaluate',
  'generate',
  'merge',
  'export',
  'close',
] as const satisfies readonly (keyof ModelService)[];

/** The methods that work alike in the model's own thread and in the caller's. */
type Alike = 'task' | 'labels' | 'embed' | 'generate' | 'merge' | 'export';

/**
 * A trained model that computes in its own thread, so that the caller's event loop stays free. Simultaneous predictions
 * share batches. Close it after use, or declare it with `await using`.
 */
export interface ModelInThread<Task extends AnyTaskName = UsualTask>
  extends Pick<OpenedModel, Alike>,
    AsyncDisposable {
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

  /**
   * Scores the model on a file, a folder of texts, or rows: `eval_loss` and `eval_<metric>` for the metrics of its task
   * and your own. Your functions are called in this thread.
   *
   * @throws UserError as in a run, for its validation data and for your own scores; any error of your `metrics`; the
   * signal's reason
   */
  evaluate(params: EvaluateParams<string | Rows>): Promise<Scores>;

  /** Waits for pending calls, then ends the thread. Later calls throw. Closing twice has no effect. */
  close(): Promise<void>;
}

/** @param thread runs `model-thread.ts`, and has opened the model */
export function modelInThread<Task extends AnyTaskName>(
  path: string,
  { task, labels, inputsAtOnce }: ModelCard,
  { worker, caller, ended }: CalledThread,
): ModelInThread<Task> {
  const underWay = new Set<Promise<unknown>>();
  let closed: Promise<void> | undefined;
  // A program can end without closing its models.
  worker.unref();
  const call = async (method: string, args: readonly unknown[]): Promise<never> => {
    if (closed) throw closedModel(path);
    const answer = caller.call<never>(method, args);
    underWay.add(answer);
    worker.ref();
    try {
      return await answer;
    } catch (error) {
      throw error instanceof DOMException && error.name === 'DataCloneError' ? notPlain(error) : error;
    } finally {
      underWay.delete(answer);
      if (underWay.size === 0 && !closed) worker.unref();
    }
  };
  const model = remote<ModelService>(call, MODEL_METHODS);
  async function* predictAll(inputs: Iterable<unknown>, options: PredictOptions): AsyncGenerator<object> {
    assertOptions('predict', options, PREDICT_OPTIONS);
    const { reading, signal } = options;
    if (inputsAtOnce === undefined) await model.predict([], reading);
    let before = 0;
    for (const chunk of inputChunks(inputs, inputsAtOnce ?? 1)) {
      yield* await model.predict(chunk, reading, before, signal);
      before += chunk.length;
    }
  }
  const end = async () => {
    worker.ref();
    await Promise.allSettled(underWay);
    // The thread ends by itself, because terminating it while the engine runs would crash the process.
    await caller.call('close', []).catch(() => {});
    await ended;
  };
  const close = () => {
    closed ??= end();
    return closed;
  };
  const { evaluate, generate, merge, export: exported } = model;
  const predict = (inputs: string | Iterable<unknown>, options: PredictOptions = {}) =>
    typeof inputs === 'string'
      ? predictAll([inputs], options)
          .next()
          .then(({ value }) => value)
      : createPredictions(predictAll(inputs, options));
  return {
    task,
    labels,
    predict: predict as ModelInThread<Task>['predict'],
    async embed(texts, options = {}) {
      assertOptions('embed', options, EMBED_OPTIONS);
      const { signal, ...asked } = options;
      const vectors: Float32Array[] = [];
      for (const chunk of inputChunks(texts, inputsAtOnce ?? 1))
        for (const vector of await model.embed(chunk, asked, signal)) vectors.push(vector);
      return vectors;
    },
    evaluate,
    generate,
    merge,
    export: exported,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function notPlain({ message }: Error): UserError {
  return new UserError({ where: 'the arguments', fault: `must be plain data: ${message}` });
}
