import { isObject } from '../options.ts';

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
export interface Invocation {
  invoked: number;
  given: readonly unknown[];
  question?: number | undefined;
}

/** The place of a value in the arguments of a call: the number of the argument, and keys of objects in it. */
export type CallPlace = readonly (string | number)[];

/** Values that messages cannot contain, and that both ends replace. Lists are not searched for them. */
export interface Taken {
  args: unknown[];
  functions: Map<CallPlace, (...given: never[]) => unknown>;
  signals: Map<CallPlace, AbortSignal>;
}

/** Takes the functions and the signals out of arguments. */
export function takenFrom(args: readonly unknown[]): Taken {
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
