import type { Prompt, WriteOptions } from '../../../program/generation/prompt.ts';
import { importModules } from '../../../support/import-modules.ts';
import type { EmbedOptions } from '../../../tasks/prediction.ts';
import type { TaskName } from '../../../tasks/registry.ts';
import type { OpenOptions } from '../model-options.ts';
import type { OpenedModel } from '../opened-model.ts';
import { PredictionQueue } from './prediction-queue.ts';

/** Facts about an open model. */
export interface ModelCard {
  task: TaskName | undefined;
  labels: readonly string[];
  /** The best number of inputs to send together. Undefined for tasks that do not predict for each row. */
  inputsAtOnce: number | undefined;
}

/** The thread of a model. */
export interface ServiceThread {
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
