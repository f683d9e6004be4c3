import { expect, it } from 'vitest';
import { PromptTooLong } from '../../../program/generation/search.ts';
import type { Call, Cancel, Port, Reply } from '../../../support/calls/call.ts';
import { UserError } from '../../../support/user-error.ts';
import { answerService } from './answer-service.ts';
import { RemoteService } from './remote-service.ts';
import type { PredictRequest, Service, WriteRequest, Written } from './service.ts';
import { NotThere, Overloaded, UnknownModel } from './service-errors.ts';

/** Two ends of a channel. It copies messages, as between threads. */
function line(): [Port<Reply>, Port<Call | Cancel>] {
  const listeners: ((message: never) => void)[][] = [[], []];
  const end = (own: number) => ({
    send: (message: unknown) => {
      const copy = structuredClone(message) as never;
      queueMicrotask(() => {
        for (const listener of listeners[1 - own]!) listener(copy);
      });
    },
    onMessage: (listener: (message: never) => void) => void listeners[own]!.push(listener),
  });
  return [end(0), end(1)];
}

/** A client of a service at the other end of a channel. */
function remote(service: Partial<Service>): RemoteService {
  const [here, there] = line();
  answerService(service as Service, there);
  return new RemoteService(here);
}

const REQUEST: PredictRequest = { model: 'a', inputs: [{ text: 'x' }], raw: false, truncate: true };
const WRITE: WriteRequest = { model: 'a', prompt: 'x', generation: {}, seed: 1, stop: [] };

it('answers each call, in any order', async () => {
  const waiting: (() => void)[] = [];
  const service = remote({
    predict: ({ model }) =>
      new Promise((resolve) => {
        waiting.push(() => resolve([[{ label: model, score: 1 }]]));
      }),
  });
  const answers = ['a', 'b'].map((model) => service.predict({ ...REQUEST, model }));
  await expect.poll(() => waiting.length).toBe(2);
  for (const answer of waiting.reverse()) answer();
  expect(await Promise.all(answers)).toEqual(['a', 'b'].map((label) => [[{ label, score: 1 }]]));
});

it.each([
  ...[new UserError('x: expected a, got b.'), new PromptTooLong('x: expected a, got b.')],
  ...[new NotThere('x: expected a, got b.'), new UnknownModel('b', ['a']), new Overloaded(3)],
])('fails with the error of the service: %s', async (error) => {
  const service = remote({ unload: () => Promise.reject(error) });
  const failed = await service.unload('b').catch((thrown: unknown) => thrown);
  expect(failed).toBeInstanceOf(error.constructor);
  expect(failed).toMatchObject({ name: error.name, message: error.message });
});

it('sends pieces of a text before its end', async () => {
  const written: Written = { text: 'ab', finish: 'stop', promptTokens: 1, newTokens: 2 };
  const service = remote({
    async write(_, __, onText) {
      for (const piece of 'ab') onText?.(piece);
      return written;
    },
  });
  const pieces: string[] = [];
  expect(await service.write(WRITE, undefined, (piece) => pieces.push(piece))).toEqual(written);
  expect(pieces).toEqual(['a', 'b']);
});

it('stops the work for a disconnected client', async () => {
  let stopped: AbortSignal | undefined;
  const service = remote({
    predict: (_, signal) => {
      stopped = signal;
      return new Promise(() => {});
    },
  });
  const client = new AbortController();
  const answer = service.predict(REQUEST, client.signal);
  await expect.poll(() => stopped).toBeDefined();
  client.abort(new Error('gone'));
  await expect(answer).rejects.toThrow('gone');
  await expect.poll(() => stopped?.aborted).toBe(true);
});

it('fails all calls once the other thread has ended', async () => {
  const service = remote({ models: () => new Promise(() => {}) });
  const models = service.models();
  for (const reason of ['the thread has ended', 'with code 1']) service.fail(new Error(reason));
  await expect(models).rejects.toThrow('the thread has ended');
  await expect(service.models()).rejects.toThrow('the thread has ended');
});
