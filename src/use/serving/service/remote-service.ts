import type { Port, Reply } from '../../../support/calls/call.ts';
import { Caller, type CallOptions } from '../../../support/calls/caller.ts';
import type { ServedAnswer } from '../../../tasks/served-answer.ts';
import { revivedError } from './plain-error.ts';
import type {
  Embedded,
  EmbedRequest,
  ModelCard,
  PredictRequest,
  Service,
  WriteRequest,
  Written,
} from './service.ts';

/** A service that runs in another thread, so that the caller's event loop never waits for the engine. */
export class RemoteService implements Service {
  readonly #caller: Caller;

  /** @param port connected to the port of `answerService` */
  constructor(port: Port<Reply>) {
    this.#caller = new Caller(port, revivedError);
  }

  models(): Promise<ModelCard[]> {
    return this.#call('models', []);
  }

  predict(request: PredictRequest, signal?: AbortSignal): Promise<ServedAnswer[]> {
    return this.#call('predict', [request], { signal });
  }

  embed(request: EmbedRequest, signal?: AbortSignal): Promise<Embedded> {
    return this.#call('embed', [request], { signal });
  }

  write(request: WriteRequest, signal?: AbortSignal, onText?: (text: string) => void): Promise<Written> {
    return this.#call('write', [request], { signal, onUpdate: onText });
  }

  load(name: string, path: string): Promise<void> {
    return this.#call('load', [name, path]);
  }

  unload(name: string): Promise<void> {
    return this.#call('unload', [name]);
  }

  close(): Promise<void> {
    return this.#call('close', []);
  }

  /** Fails pending and later calls, because the other thread has ended. Only the first reason is kept. */
  fail(reason: Error): void {
    this.#caller.fail(reason);
  }

  #call<Value>(
    method: keyof Service,
    args: readonly unknown[],
    options?: CallOptions<string>,
  ): Promise<Value> {
    return this.#caller.call(method, args, options);
  }
}
