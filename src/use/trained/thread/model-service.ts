import type { Prompt, WriteOptions } from '../../../program/generation/prompt.ts';
import { importModules } from '../../../support/import-modules.ts';
import { Queue, type Waiting } from '../../../support/queue.ts';
import type { Answer, EmbedOptions } from '../../../tasks/prediction.ts';
import type { TaskName } from '../../../tasks/registry.ts';
import type { OpenOptions } from '../model-options.ts';
import type { OpenedModel } from '../opened-model.ts';
import type { AnswerOptions, TrainedModel } from '../trained-model.ts';

/** Facts about an open model. */
export interface ModelCard {
  task: TaskName | undefined;
  labels: readonly string[];
  /** The best number of inputs to send together. Undefined for tasks that do not predict for each row. */
  inputsAtOnce: number | undefined;
}

/** The thread of a model. */
interface ServiceThread {
  open(path: string, options: OpenOptions): Promise<OpenedModel>;
  /** Waits until waiting messages have been received. */
  nextTurn(): Promise<void>;
  /** Called once the model is closed. */
  leave(): void;
}

/** A model for calls from another thread. Simultaneous predictions share batches. */
export class ModelService {
  readonly #thread: ServiceThread;
  #model!: OpenedModel;
  #queue!: PredictionQueue;

  constructor(thread: ServiceThread) {
    this.#thread = thread;
  }

  /** @param modules define the program's own methods and tasks */
  async open(path: string, options: OpenOptions, modules: readonly string[]): Promise<ModelCard> {
    await importModules({ modules });
    const model = await this.#thread.open(path, options);
    this.#model = model;
    this.#queue = new PredictionQueue(model, this.#thread.nextTurn);
    const { task, labels } = model;
    const answers = task !== undefined && model.definition().prediction !== undefined;
    return { task, labels, inputsAtOnce: answers ? model.inputsAtOnce : undefined };
  }

  predict(inputs: readonly unknown[], reading?: object, before?: number, signal?: AbortSignal) {
    return this.#queue.answer(inputs, { reading, before, signal });
  }

  async embed(texts: readonly string[], options: EmbedOptions, signal?: AbortSignal) {
    const inputs = this.#model.vectorInputs(texts, options);
    return this.#model.vectorsOf(await this.#queue.answer(inputs, { signal }));
  }

  evaluate(params: Parameters<OpenedModel['evaluate']>[0]) {
    return this.#model.evaluate(params);
  }

  generate(prompt: Prompt, options: WriteOptions) {
    return this.#model.generate(prompt, options);
  }

  merge(...args: Parameters<OpenedModel['merge']>) {
    return this.#model.merge(...args);
  }

  export(...args: Parameters<OpenedModel['export']>) {
    return this.#model.export(...args);
  }

  close(): Promise<void> {
    return this.#model.close().finally(() => this.#thread.leave());
  }
}

/** Number of batches per round when a single request waits. With several, similar lengths share a batch. */
const MAX_BATCHES = 4;

type Model = Pick<TrainedModel, 'answer' | 'check' | 'batchSize' | 'inputsAtOnce'>;

interface Input {
  input: unknown;
  /** The number of inputs before it. */
  before: number;
  /** Inputs with equal keys are read alike, so that they can share a batch. */
  key: string | undefined;
  options: AnswerOptions;
}

/**
 * Batches waiting requests together. Each round takes some inputs of every request, so that a short request does not
 * wait for the end of a long one.
 */
export class PredictionQueue {
  readonly #model: Model;
  readonly #queue: Queue<Input, Answer>;

  /** @param nextTurn waits until messages have been received */
  constructor(model: Model, nextTurn: () => Promise<void>) {
    this.#model = model;
    this.#queue = new Queue<Input, Answer>({
      async next(queue) {
        // Simultaneous requests share a round, and cancelled ones leave.
        await nextTurn();
        return nextRound(queue.waiting, model);
      },
      async compute(batch) {
        const { before, options } = batch[0]!.item;
        const inputs = batch.map(({ item }) => item.input);
        const answers = await model.answer(inputs, { reading: options.reading, before });
        for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!);
      },
    });
  }

  /** @throws like {@link TrainedModel.answer} for these inputs; the signal's reason */
  async answer(inputs: readonly unknown[], options: AnswerOptions): Promise<Answer[]> {
    this.#model.check(inputs, options);
    const { reading, before = 0, signal } = options;
    const key = JSON.stringify(reading);
    const items = inputs.map((input, i) => ({ input, before: before + i, key, options }));
    return this.#queue.submit(items, signal);
  }
}

/** Divides a round equally among the requests that are read like the oldest request. */
function nextRound(
  waiting: readonly Waiting<Input, Answer>[],
  { batchSize, inputsAtOnce }: Model,
): Waiting<Input, Answer>[] {
  const alike = waiting.filter(({ item }) => item.key === waiting[0]!.item.key);
  const requests = new Map<object, Waiting<Input, Answer>[]>(alike.map(({ request }) => [request, []]));
  for (const one of alike) requests.get(one.request)!.push(one);
  let room = Math.min(inputsAtOnce, batchSize * (requests.size > 1 ? 1 : MAX_BATCHES));
  return [...requests.values()].flatMap((inputs, i) => {
    const share = inputs.slice(0, Math.ceil(room / (requests.size - i)));
    room -= share.length;
    return share;
  });
}
