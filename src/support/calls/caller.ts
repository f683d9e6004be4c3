import { isObject } from '../options.ts';
import { type ErrorClasses, type Failure, revived } from '../user-error.ts';

/** One end of a channel between threads or processes. Messages are plain data. */
export interface Port {
  send(message: Message, transfer?: ArrayBuffer[]): void;
  onMessage(listener: (message: Message) => void): void;
}

/** A message about a call. Both ends know the call by its id. */
export type Message = { id: number } & (
  | {
      method: string;
      args: readonly unknown[];
      functions: readonly CallPlace[];
      signals: readonly CallPlace[];
    }
  | { cancel: true }
  | { value: unknown }
  | { error: unknown }
  | Invocation
  | { answered: number; answer: unknown }
);

/** The other end calls the function with this number. Only a numbered invocation is answered. */
interface Invocation {
  invoked: number;
  given: readonly unknown[];
  question?: number | undefined;
}

/** The place of a value in the arguments of a call: the number of the argument, and keys of objects in it. */
export type CallPlace = readonly (string | number)[];

/** Values that messages cannot contain, and that both ends replace. Lists are not searched for them. */
interface Taken {
  args: unknown[];
  functions: Map<CallPlace, (...given: never[]) => unknown>;
  signals: Map<CallPlace, AbortSignal>;
}

/** Takes the functions and the signals out of arguments. */
function takenFrom(args: readonly unknown[]): Taken {
  const functions: Taken['functions'] = new Map();
  const signals: Taken['signals'] = new Map();
  const plain = (value: unknown, place: CallPlace): unknown => {
    if (typeof value === 'function') functions.set(place, value as never);
    else if (value instanceof AbortSignal) signals.set(place, value);
    else return isPlain(value) ? entriesOf(value, place) : value;
    return undefined;
  };
  const entriesOf = (value: object, place: CallPlace) =>
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner, [...place, key])]));
  return { args: args.map((arg, i) => plain(arg, [i])), functions, signals };
}

/** Puts a value at its place in arguments. */
export function putInto(args: unknown[], place: CallPlace, value: unknown): void {
  let target = args as unknown as Record<string, unknown>;
  for (const key of place.slice(0, -1)) target = target[key] as Record<string, unknown>;
  target[place.at(-1)!] = value;
}

function isPlain(value: unknown): value is object {
  return isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

/** Calls a method at the other end. */
type CallMethod = (method: string, args: readonly unknown[]) => Promise<never>;

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

/** A thread that answers calls. With this type, the package's declarations need no Node types. */
export interface CalledThread {
  worker: {
    on(event: 'error', listener: (error: Error) => void): unknown;
    on(event: 'exit', listener: () => void): unknown;
    ref(): void;
    unref(): void;
    terminate(): unknown;
  };
  caller: Caller;
  /** Resolves when the thread has ended. */
  ended: Promise<void>;
}
