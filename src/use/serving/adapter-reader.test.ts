import { afterAll, expect, it } from 'vitest';
import { startThread, type Thread } from '../../support/node/threads.ts';
import { UserError } from '../../support/user-error.ts';
import type { FoundAdapter } from './find-adapters.ts';
import { AdapterReader } from './serving-thread.ts';

const adapter = (name: string): FoundAdapter => ({ name, folder: `/adapters/${name}`, state: '' });

/** A thread that does with each adapter what its name says. */
const THREAD = `
const { parentPort, threadId } = require('node:worker_threads');
const all = [];
parentPort.on('message', ({ id, args: [{ name }] }) => {
  if (name === 'endless') for (;;);
  if (name === 'large') for (;;) all.push(new Array(1e6).fill(name));
  if (name === 'faulty') throw new Error('a bug');
  if (name === 'ending') process.exit();
  if (name === 'damaged') return parentPort.postMessage({ id, error: { kind: 'UserError', message: 'x is damaged.' } });
  parentPort.postMessage({ id, value: { stored: threadId } });
});`;
const started: Thread[] = [];
const start = () => {
  const resourceLimits = { maxOldGenerationSizeMb: 32 };
  const thread = startThread(THREAD, { name: 'thread', eval: true, resourceLimits });
  started.push(thread);
  return thread;
};
const reader = new AdapterReader(start, () => 0, 5);
const read = async (name: string) => (await reader.read(adapter(name))).stored as unknown;
afterAll(() => reader.close());

it.each([
  ['endless', '/adapters/endless cannot be read: it takes longer than 5 s.'],
  ['large', 'memory'],
  ['faulty', '/adapters/faulty cannot be read: a bug.'],
  ['ending', '/adapters/ending cannot be read: the thread ended with code 0.'],
])(
  'an adapter whose reading is %s is rejected, and the next one has another thread',
  async (name, reason) => {
    const thread = await read('good');
    const bad = read(name);
    const next = read('good');
    await expect(bad).rejects.toThrow(UserError);
    await expect(bad).rejects.toThrow(reason);
    expect(await next).not.toBe(thread);
  },
);

it('an adapter that is damaged is rejected, and the next one has the same thread', async () => {
  const thread = await read('good');
  await expect(read('damaged')).rejects.toThrow('x is damaged.');
  expect(await read('good')).toBe(thread);
});

it('a reader that is closed ends its threads, and the adapter that they read', async () => {
  const bad = read('endless');
  await new Promise((resolve) => setTimeout(resolve, 100));
  reader.close();
  await expect(bad).rejects.toThrow('the server is stopping');
  await Promise.all(started.map(({ worker }) => worker.terminate()));
});
