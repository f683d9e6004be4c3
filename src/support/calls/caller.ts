import { type ErrorClasses, type Failure, revived } from '../user-error.ts';
import { type Invocation, type Message, type Port, takenFrom } from './call.ts';

/** Calls a method at the other end. */
export type CallMethod = (method: string, args: readonly unknown[]) => Promise<never>;

/** The methods of an object at the other end: each returns a promise. */
export type Remote<T> = {
  [Name in keyof T]: T[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/** Makes an object whose methods are called at the other end, from their names. */
export function remote<T>(call: CallMethod, methods: readonly (keyof T & string)[]): Remote<T> {
  const entries = methods.map((name) => [name, (...args: unknown[]) => call(name, args)]);
  return Object.fromEntries(entries) as Remote<T>;
}

interface Waiting {
  resolve(value: never): void;
  reject(reason: unknown): void;
  invoke(invocation: Invocation): Promise<void>;
}

/**
 * Calls methods at the other end of a port, where `answerCalls` listens. Functions and abort signals in the arguments
 * work at the other end until the method has answered.
 */
export class Caller {
  readonly #port: Port;
  readonly #classes: ErrorClasses | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #failure: Error | undefined;

  /** @param classes the classes that errors of the other end keep */
  constructor(port: Port, classes?: ErrorClasses) {
    this.#port = port;
    this.#classes = classes;
    port.onMessage((message) => this.#receive(message));
  }

  /**
   * @throws the reason of a signal in the arguments; the first error of a function in them; the method's error; the
   * port's error if the arguments are not plain data
   */
  async call<Value>(method: string, args: readonly unknown[]): Promise<Value> {
    const taken = takenFrom(args);
    const functions = [...taken.functions.values()];
    const signals = [...taken.signals.values()];
    for (const signal of signals) signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const id = this.#calls++;
    const leave = (reason: unknown) => {
      if (!this.#waiting.has(id)) return;
      this.#waiting.get(id)!.reject(reason);
      this.#port.send({ id, cancel: true });
    };
    const invoke = async ({ invoked, given, question }: Invocation) => {
      try {
        const answer = await functions[invoked]!(...(given as never[]));
        if (question !== undefined) this.#port.send({ id, answered: question, answer });
      } catch (error) {
        leave(error);
      }
    };
    const listeners = signals.map((signal) => [signal, () => leave(signal.reason)] as const);
    for (const [signal, listener] of listeners) signal.addEventListener('abort', listener, { once: true });
    try {
      return await new Promise<Value>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject, invoke });
        const places = { functions: [...taken.functions.keys()], signals: [...taken.signals.keys()] };
        this.#port.send({ id, method, args: taken.args, ...places });
      });
    } finally {
      this.#waiting.delete(id);
      for (const [signal, listener] of listeners) signal.removeEventListener('abort', listener);
    }
  }

  /** An object whose methods are called at the other end, from their names. */
  remote<T>(methods: readonly (keyof T & string)[]): Remote<T> {
    return remote((...call) => this.call(...call), methods);
  }

  /** Fails all pending and later calls. Only the first reason is kept. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #receive(message: Message): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if ('invoked' in message) void waiting.invoke(message);
    else if ('error' in message) waiting.reject(revived(message.error as Failure, this.#classes));
    else if ('value' in message) waiting.resolve(message.value as never);
  }
}
