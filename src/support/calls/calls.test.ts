import { expect, it } from 'vitest';
import { ComputationError, UserError } from '../user-error.ts';
import { answerCalls } from './answer-calls.ts';
import { Caller, type Message, type Port } from './caller.ts';

/** Two ends of a channel. It copies messages, as between threads. */
function line(): [Port, Port] {
  const listeners: ((message: Message) => void)[][] = [[], []];
  const end = (own: number): Port => ({
    send: (message) => {
      const copy = structuredClone(message);
      queueMicrotask(() => {
        for (const listener of listeners[1 - own]!) listener(copy);
      });
    },
    onMessage: (listener) => void listeners[own]!.push(listener),
  });
  return [end(0), end(1)];
}

/** Calls the methods of an object at the other end of a channel. */
function there<T extends object>(target: T) {
  const [here, other] = line();
  const names = Object.keys(target) as (keyof T & string)[];
  answerCalls(target, names, other);
  const caller = new Caller(here);
  return { caller, ...caller.remote<T>(names) };
}

it('answers each call, in any order', async () => {
  const waiting: (() => void)[] = [];
  const { echo } = there({
    echo: (word: string) =>
      new Promise<string>((resolve) => {
        waiting.push(() => resolve(word));
      }),
  });
  const answers = ['a', 'b'].map((word) => echo(word));
  await expect.poll(() => waiting.length).toBe(2);
  for (const answer of waiting.reverse()) answer();
  expect(await Promise.all(answers)).toEqual(['a', 'b']);
});

it.each([
  ...[
    new UserError('x: expected a, got b.', 'invalid_data'),
    new ComputationError('no number', 'out_of_memory'),
  ],
  ...[new TypeError('a bug'), Object.assign(new Error('EACCES: no, open x'), { code: 'EACCES', path: 'x' })],
])('fails with the error of the method: %s', async (error) => {
  const { fail } = there({ fail: () => Promise.reject(error) });
  const failed = await fail().catch((thrown: unknown) => thrown);
  const isKnown = error instanceof UserError || error instanceof ComputationError;
  const Class = 'path' in error ? UserError : isKnown ? error.constructor : Error;
  expect(failed).toBeInstanceOf(Class);
  if (!('path' in error)) expect(failed).toMatchObject({ message: error.message });
  if (isKnown) expect(failed).toMatchObject({ name: error.name, code: error.code });
});

it('refuses methods that are not named', async () => {
  const { caller } = there({ named: () => 1 });
  await expect(caller.call('toString', [])).rejects.toThrow('no method toString');
});

it('calls functions in the arguments and in objects, and waits for their answers', async () => {
  const { write } = there({
    async write(
      words: string[],
      { onWord, to }: { onWord(word: string): void; to: { number(word: string): number } },
    ) {
      for (const word of words) onWord(word);
      return Promise.all(words.map((word) => to.number(word)));
    },
  });
  const heard: string[] = [];
  const number = (word: string) => word.length;
  expect(await write(['a', 'bc'], { onWord: (word) => void heard.push(word), to: { number } })).toEqual([
    1, 2,
  ]);
  expect(heard).toEqual(['a', 'bc']);
});

it.each(['onWord', 'number'] as const)(
  'fails with the error of a given function, and ends the work: %s',
  async (name) => {
    let ended: unknown;
    const { write } = there({
      async write(given: Record<'onWord' | 'number', () => unknown>) {
        try {
          for (;;) {
            await given.number();
            await given.onWord();
          }
        } catch (error) {
          ended = error;
        }
      },
    });
    const mine = new RangeError('mine');
    const fail = () => {
      throw mine;
    };
    await expect(write({ onWord: () => {}, number: () => 1, [name]: fail })).rejects.toBe(mine);
    await expect.poll(() => ended).toMatchObject({ message: 'the caller has gone' });
  },
);

it('stops the work for a disconnected client', async () => {
  let stopped: AbortSignal | undefined;
  const { work } = there({
    work: (_: number, { signal }: { signal: AbortSignal }) => {
      stopped = signal;
      return new Promise(() => {});
    },
  });
  const client = new AbortController();
  const answer = work(1, { signal: client.signal });
  await expect.poll(() => stopped).toBeDefined();
  client.abort(new Error('gone'));
  await expect(answer).rejects.toThrow('gone');
  await expect.poll(() => stopped?.aborted).toBe(true);
});

it('fails all calls once the other thread has ended', async () => {
  const { work, caller } = there({ work: () => new Promise(() => {}) });
  const first = work();
  for (const reason of ['the thread has ended', 'with code 1']) caller.fail(new Error(reason));
  await expect(first).rejects.toThrow('the thread has ended');
  await expect(work()).rejects.toThrow('the thread has ended');
});
