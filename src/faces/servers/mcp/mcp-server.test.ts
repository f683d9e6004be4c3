import { expect, it } from 'vitest';
import { Random } from '../../../support/random.ts';
import { serveMcp } from './mcp-server.ts';

async function* linesOf(lines: readonly string[]) {
  yield* lines;
}

const model = {
  async *predict(inputs: Iterable<unknown>) {
    for (const _ of inputs) yield { label: 'a' };
  },
  embed: async (texts: readonly string[]) => texts.map(() => new Float32Array([1, 0])),
};

/** The answers of a server that gets these lines, and then a ping. */
async function answers(lines: readonly string[]): Promise<Record<string, unknown>[]> {
  const sent: string[] = [];
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 'last', method: 'ping' });
  const models = new Map([['m', model as never]]);
  await serveMcp(models, linesOf([...lines, ping]), (message) => sent.push(JSON.stringify(message)), '1');
  return sent.map((text) => JSON.parse(text));
}

const NO_TEXT = { toString: 1, valueOf: 1 };

it.each<[string, unknown, number]>([
  ['a notification with null as parameters', { method: 'notifications/cancelled', params: null }, -32600],
  ['a request with null as parameters', { id: 1, method: 'initialize', params: null }, -32600],
  ['a call with null as parameters', { id: 1, method: 'tools/call', params: null }, -32600],
  ['a method that is an object', { id: 1, method: NO_TEXT }, -32600],
  ['a tool that is an object', { id: 1, method: 'tools/call', params: { name: NO_TEXT } }, -32602],
  ['an id that is an object', { id: NO_TEXT, method: 'ping' }, -32600],
  ['a batch', [{ id: 1, method: 'ping' }], -32600],
  ['a response', { id: 1, result: {} }, -32600],
])('answers %s, then the next message', async (_, message, code) => {
  const got = await answers([JSON.stringify(message)]);
  expect(got.at(-1)).toMatchObject({ id: 'last', result: {} });
  expect(got.slice(0, -1)).toMatchObject([{ error: { code } }]);
});

it('refuses an id that is nested too deeply to be written', async () => {
  const line = `{"id":${'['.repeat(20_000)}${']'.repeat(20_000)},"method":"ping"}`;
  expect(await answers([line])).toMatchObject([{ id: null, error: { code: -32600 } }, { id: 'last' }]);
});

it('answers messages of any shape, then the next one', async () => {
  const random = new Random(1, 'mcp');
  const pick = <Value>(values: readonly Value[]) => values[random.integer(values.length)]!;
  const values = [null, 0, -1, 1.5, '', 'm', [], [null], {}, NO_TEXT, { texts: ['a'] }, true, undefined];
  const names = ['classify', 'embed', 'search', 'none', ...values];
  const methods = ['initialize', 'ping', 'tools/list', 'tools/call', 'notifications/cancelled', ...values];
  const params = () =>
    pick([...values, { name: pick(names), arguments: pick(values), requestId: pick(values) }]);
  const lines = Array.from({ length: 2000 }, () =>
    JSON.stringify({ jsonrpc: '2.0', id: pick(values), method: pick(methods), params: params() }),
  );
  expect((await answers(lines)).at(-1)).toMatchObject({ id: 'last', result: {} });
});
