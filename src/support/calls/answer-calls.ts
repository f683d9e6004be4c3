import { describeFailure, type ErrorClasses } from '../user-error.ts';
import { type CallPlace, type Message, type Port, putInto } from './caller.ts';

/** The result of a method whose buffers move to the caller instead of being copied. */
export class Moved {
  readonly value: unknown;
  readonly buffers: ArrayBuffer[];

  constructor(value: unknown, buffers: Iterable<ArrayBuffer>) {
    this.value = value;
    this.buffers = [...new Set(buffers)];
  }
}

/** A call that is being answered. */
interface UnderWay {
  cancel(): void;
  receive(question: number, answer: unknown): void;
}

/**
 * Answers the calls that a `Caller` makes at the other end of a port. A function of the caller returns a promise here.
 * If its name begins with `on`, it only reports, and returns nothing.
 *
 * @param target the object with the methods
 * @param methods names of the methods that may be called
 * @param classes the classes that errors keep
 */
export function answerCalls<T extends object>(
  target: T,
  methods: readonly (keyof T & string)[],
  port: Port,
  classes?: ErrorClasses,
): void {
  const underWay = new Map<number, UnderWay>();
  port.onMessage(async (message) => {
    const { id } = message;
    if ('cancel' in message) return underWay.get(id)?.cancel();
    if ('answered' in message) return underWay.get(id)?.receive(message.answered, message.answer);
    if (!('method' in message)) return;
    const { method, args } = message;
    try {
      if (!methods.includes(method as keyof T & string)) throw new Error(`no method ${method}`);
      const given = [...args];
      underWay.set(id, connect(message, given, port));
      const result: unknown = await (target as Record<string, (...args: unknown[]) => unknown>)[method]!(
        ...given,
      );
      if (result instanceof Moved) port.send({ id, value: result.value }, result.buffers);
      else port.send({ id, value: result });
    } catch (error) {
      port.send({ id, error: describeFailure(error, classes) });
    } finally {
      underWay.delete(id);
    }
  });
}

/** Puts the functions and signals of a call into its arguments. */
function connect(
  { id, functions, signals }: Extract<Message, { method: string }>,
  args: unknown[],
  port: Port,
): UnderWay {
  const controller = new AbortController();
  const { signal } = controller;
  const questions = new Map<number, { resolve(answer: unknown): void; reject(reason: unknown): void }>();
  let asked = 0;
  const ask = (invoked: number, given: readonly unknown[]) => {
    const question = asked++;
    const answer = new Promise((resolve, reject) => questions.set(question, { resolve, reject }));
    port.send({ id, invoked, given, question });
    // The method may not wait for the answer.
    answer.catch(() => {});
    return answer;
  };
  functions.forEach((place, invoked) => {
    const reports = isReport(place);
    putInto(args, place, (...given: unknown[]) => {
      signal.throwIfAborted();
      return reports ? port.send({ id, invoked, given }) : ask(invoked, given);
    });
  });
  for (const place of signals) putInto(args, place, signal);
  return {
    cancel() {
      controller.abort(new Error('the caller has gone'));
      for (const { reject } of questions.values()) reject(signal.reason);
    },
    receive(question, answer) {
      questions.get(question)?.resolve(answer);
      questions.delete(question);
    },
  };
}

function isReport(place: CallPlace): boolean {
  return /^on[A-Z]/.test(String(place.at(-1)));
}
