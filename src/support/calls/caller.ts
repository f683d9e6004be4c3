import type { Call, Cancel, Port, Reply } from './call.ts';

interface Waiting {
  resolve(value: never): void;
  reject(reason: unknown): void;
  onUpdate?(update: never): void;
}

export interface CallOptions<Update = never> {
  /** Rejects the call with the signal's reason, and aborts the work at the other end. */
  signal?: AbortSignal;
  /** Called with the messages that arrive before the answer. */
  onUpdate?(update: Update): void;
}

/** Calls methods at the other end of a port, where `answerCalls` listens. */
export class Caller {
  readonly #port: Port<Reply>;
  readonly #revived: (error: never) => Error;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #failure: Error | undefined;

  /** @param revived restores an error from plain data */
  constructor(port: Port<Reply>, revived: (error: never) => Error) {
    this.#port = port;
    this.#revived = revived;
    port.onMessage((reply) => this.#receive(reply));
  }

  /** @throws the signal's reason; the method's error; the port's error if the arguments are not plain data */
  async call<Value, Update = never>(
    method: string,
    args: readonly unknown[],
    { signal, onUpdate }: CallOptions<Update> = {},
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
        this.#waiting.set(id, { resolve, reject, onUpdate });
        this.#port.send({ id, method, args } satisfies Call);
      });
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Fails all pending and later calls. Only the first reason is kept. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #receive(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if ('update' in reply) waiting.onUpdate?.(reply.update as never);
    else if ('error' in reply) waiting.reject(this.#revived(reply.error as never));
    else waiting.resolve(reply.value as never);
  }
}
