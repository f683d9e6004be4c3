import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { askMessages } from './chat.ts';

const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** The messages that these keys produce. */
async function asked(...keys: string[]): Promise<string[]> {
  const input = new PassThrough();
  const messages: string[] = [];
  const ended = askMessages(
    async (message) => {
      messages.push(message);
    },
    { input, output: new PassThrough() },
  );
  for (const key of keys) {
    await new Promise((done) => setImmediate(done));
    input.write(key);
  }
  await ended;
  return messages;
}

it('reads lines up to an empty one as a message', async () => {
  expect(await asked('one\r', 'two\r', '\r', 'three\r', ' \r', '\r', CTRL_D)).toEqual(['one\ntwo', 'three']);
});

it('reads the rest when the input ends', async () => {
  expect(await asked('one\r', 'two\r', CTRL_D)).toEqual(['one\ntwo']);
});

it('discards typed text on Ctrl-C, and ends on the next', async () => {
  expect(await asked('one\r', 'tw', CTRL_C, 'three\r', '\r', CTRL_C)).toEqual(['three']);
});
