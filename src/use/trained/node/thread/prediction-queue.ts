import { WorkLoop } from '../../../../support/work-loop.ts';
import type { Answer } from '../../../../tasks/prediction.ts';
import type { AnswerOptions, TrainedModel } from '../../trained-model.ts';

/** Number of batches per round when a single request waits. With several, similar lengths share a batch. */
const MAX_BATCHES = 4;

interface Request {
  inputs: readonly unknown[];
  options: AnswerOptions;
  answers: Answer[];
  resolve(answers: Answer[]): void;
  reject(error: unknown): void;
}

/** The inputs of a request in one round. */
interface Part {
  request: Request;
  inputs: readonly unknown[];
}

/**
 * Batches waiting requests together. Each round takes some inputs of every request, so that a short request does not
 * wait for the end of a long one.
 */
export class PredictionQueue {
  readonly #model: Pick<TrainedModel, 'answer' | 'check' | 'batchSize' | 'inputsAtOnce'>;
  readonly #waiting = new Set<Request>();
  readonly #loop = new WorkLoop(
    () => this.#waiting.size > 0,
    () => this.#round(),
    (error) => {
      for (const request of this.#waiting) this.#fail(request, error);
    },
  );

  constructor(model: Pick<TrainedModel, 'answer' | 'check' | 'batchSize' | 'inputsAtOnce'>) {
    this.#model = model;
  }

  /** @throws like {@link TrainedModel.answer} for these inputs; the signal's reason, before the next round */
  async answer(inputs: readonly unknown[], options: AnswerOptions): Promise<Answer[]> {
    this.#model.check(inputs, options);
    if (inputs.length === 0) return [];
    return new Promise((resolve, reject) => {
      this.#waiting.add({ inputs, options, answers: [], resolve, reject });
      this.#loop.start();
    });
  }

  async #round(): Promise<void> {
    // Messages are received between rounds. So simultaneous requests share a round, and cancelled ones leave.
    await new Promise(setImmediate);
    this.#dropAborted();
    if (this.#waiting.size > 0) await this.#compute(this.#nextParts());
  }

  #dropAborted(): void {
    for (const request of this.#waiting) {
      const { signal } = request.options;
      if (signal?.aborted) this.#fail(request, signal.reason);
    }
  }

  /** Divides a round equally among the requests that use the same `reading` as the oldest request. */
  #nextParts(): Part[] {
    const { batchSize, inputsAtOnce } = this.#model;
    const requests = [...this.#waiting];
    const key = ({ options }: Request) => JSON.stringify(options.reading);
    const alike = requests.filter((request) => key(request) === key(requests[0]!));
    let room = Math.min(inputsAtOnce, batchSize * (alike.length > 1 ? 1 : MAX_BATCHES));
    return alike.flatMap((request, i) => {
      const begin = request.answers.length;
      const share = Math.ceil(room / (alike.length - i));
      const inputs = request.inputs.slice(begin, begin + share);
      room -= inputs.length;
      return inputs.length === 0 ? [] : [{ request, inputs }];
    });
  }

  async #compute(parts: readonly Part[]): Promise<void> {
    const { request } = parts[0]!;
    const { reading, before = 0 } = request.options;
    const inputs = parts.flatMap((part) => part.inputs);
    try {
      const answers = await this.#model.answer(inputs, { reading, before: before + request.answers.length });
      let at = 0;
      for (const { request, inputs } of parts) {
        request.answers.push(...answers.slice(at, at + inputs.length));
        at += inputs.length;
        if (request.answers.length < request.inputs.length) continue;
        this.#waiting.delete(request);
        request.resolve(request.answers);
      }
    } catch (error) {
      if (parts.length === 1) return this.#fail(request, error);
      // The inputs of one request must not fail the others.
      for (const part of parts) await this.#compute([part]);
    }
  }

  #fail(request: Request, error: unknown): void {
    this.#waiting.delete(request);
    request.reject(error);
  }
}
