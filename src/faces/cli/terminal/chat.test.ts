import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { Prompt } from '../../../program/generation/prompt.ts';
import { chat } from './chat.ts';

const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** Types keys into a chat, each after the previous answer. Records the prompts. */
async function typed(keys: readonly string[], isConversation: boolean) {
  const input = new PassThrough();
  const asked: Prompt[] = [];
  const rest = [...keys];
  const type = () => setImmediate(() => input.write(rest.shift() ?? CTRL_D));
  const ended = chat(
    async (prompt, signal) => {
      asked.push(structuredClone(prompt) as Prompt);
      type();
      if (asked.length !== 2) return `answer ${asked.length}`;
      // The second answer ends only when it is stopped.
      await new Promise((done) => signal.addEventListener('abort', done));
      type();
      return 'half an ans';
    },
    { input, output: new PassThrough(), messages: [{ role: 'system', content: 'be' }], isConversation },
  );
  type();
  return { isStopped: await ended, asked };
}

it('answers turn by turn with the whole conversation, incomplete answers too', async () => {
  const { asked, isStopped } = await typed(['one\r', '\r   \rtwo\r', CTRL_C, 'three\r'], true);
  const said = [
    { role: 'system', content: 'be' },
    { role: 'user', content: 'one' },
    { role: 'assistant', content: 'answer 1' },
    { role: 'user', content: 'two' },
    { role: 'assistant', content: 'half an ans' },
    { role: 'user', content: 'three' },
  ];
  expect(asked).toEqual([said.slice(0, 2), said.slice(0, 4), said]);
  expect(isStopped).toBe(false);
});

it('takes lines literally if they are not a conversation', async () => {
  const { asked } = await typed(['one\r', 'two\r', CTRL_C], false);
  expect(asked).toEqual(['one', 'two']);
});

it('is ended by Ctrl-C when no answer is in progress', async () => {
  expect(await typed([CTRL_C], true)).toEqual({ asked: [], isStopped: true });
});
