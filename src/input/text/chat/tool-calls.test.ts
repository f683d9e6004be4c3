import { expect, it } from 'vitest';
import { HeldCalls, listCalls, readToolCalls } from './tool-calls.ts';

const CALL = { name: 'find', arguments: { number: 7, note: 'a } "b" {' } };
const JSON_CALL = JSON.stringify(CALL);
const OTHER = { name: 'cancel', arguments: {} };

it.each<[string, string, string, object[]]>([
  ['marks of Qwen', `Yes.\n<tool_call>\n${JSON_CALL}\n</tool_call>`, 'Yes.', [CALL]],
  ['a list', `<tool_call>[${JSON_CALL}, {"name": "cancel", "arguments": {}}]</tool_call>`, '', [CALL, OTHER]],
  ['parameters of Llama', '{"name": "cancel", "parameters": {}}', '', [OTHER]],
  ['another object before it', `{"a": {"b": 1}} ${JSON_CALL}`, '{"a": {"b": 1}}', [CALL]],
  ['no call', ' {"a": 1} <b>x</b> ', ' {"a": 1} <b>x</b> ', []],
  ['a call that is cut off', JSON_CALL.slice(0, -1), JSON_CALL.slice(0, -1), []],
  ['no arguments', '{"name": "x", "arguments": 3}', '{"name": "x", "arguments": 3}', []],
])('reads calls with %s', (_, text, said, calls) => {
  expect(readToolCalls(text)).toEqual({ text: said, calls });
});

it('reads the calls of a message, with arguments as objects or as text', () => {
  const message = (args: unknown) => ({
    role: 'assistant',
    tool_calls: [{ type: 'function', function: { name: 'find', arguments: args } }],
  });
  expect(listCalls(message(CALL.arguments))).toEqual([CALL]);
  expect(listCalls(message(JSON.stringify(CALL.arguments)))).toEqual([CALL]);
  expect(listCalls({ role: 'assistant', content: 'x' })).toEqual([]);
});

it('holds a streamed text back from the first mark', () => {
  const held = new HeldCalls();
  const pieces = ['Ye', 's. <to', 'ol_call>', JSON_CALL, '</tool_call>'].map((piece) => held.add(piece));
  expect(pieces).toEqual(['Ye', 's. ', '', '', '']);
  expect(held.end()).toEqual({ text: '', calls: [CALL] });
  const plain = new HeldCalls();
  expect(plain.add('a < b')).toBe('a ');
  expect(plain.end()).toEqual({ text: '< b', calls: [] });
});
