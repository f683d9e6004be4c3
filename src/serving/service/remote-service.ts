import type { ServedAnswer } from '../../tasks/served-answer.ts';
import type { Call, Cancel, Method, Port, Reply } from './calls.ts';
import { revivedError } from './plain-error.ts';
import type { ModelCard, PredictRequest, Service, WriteRequest, Written } from './service.ts';

interface Waiting {
  resolve(value: never): void;
  reject(reason: unknown): void;
  onText?(text: string): void;
}

interface CallOptions {
  signal?: AbortSignal;
  onText?(text: string): void;
}

/** A service that works in another thread, so that the caller's event loop never waits for the engine. */
export class RemoteService implements Service {
  readonly #port: Port<Reply>;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #failure: Error | undefined;

  /** @param port its other end is that of `answerCalls` */
  constructor(port: Port<Reply>) {
    this.#port = port;
    port.onMessage((reply) => this.#take(reply));
  }

  models(): Promise<ModelCard[]> {
    return this.#call('models', []);
  }

  predict(request: PredictRequest, signal?: AbortSignal): Promise<ServedAnswer[]> {
    return this.#call('predict', [request], { signal });
  }

  write(request: WriteRequest, signal?: AbortSignal, onText?: (text: string) => void): Promise<Written> {
    return this.#call('write', [request], { signal, onText });
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

  /** Fails what is asked now and later: the other thread has ended. The first reason counts. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  async #call<Value>(
    method: Method,
    args: readonly unknown[],
    { signal, onText }: CallOptions = {},
  ): Promise<Value> {
    signal?.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const id = this.#calls++;
    const leave = () => {
      this.#waiting.get(id)?.reject(signal?.reason);
      this.#port.send({ cancel: id } satisfies Cancel);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await new Promise<Value>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject, onText });
        this.#port.send({ id, method, args } satisfies Call);
      });
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener('abort', leave);
    }
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if ('text' in reply) waiting.onText?.(reply.text);
    else if ('error' in reply) waiting.reject(revivedError(reply.error));
    else waiting.resolve(reply.value as never);
  }
}
