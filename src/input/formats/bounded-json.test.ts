import { describe, expect, it } from 'vitest';
import { readOrRefuse } from '../../../tests/support/read-or-refuse.ts';
import { UserError } from '../../support/user-error.ts';
import { editJson, parseBoundedJson } from './bounded-json.ts';

const parse = (text: string, limits = { depth: 3, values: 20 }) =>
  parseBoundedJson(new TextEncoder().encode(text), limits, 'x.json');

it.each(['null', '"{[,:"', '{"a":[1,{"b":"}\\\\\\"]"}],"__proto__":{"a":1}}', '{"0":[],"":{"":{}}}'])(
  'parses %s',
  (text) => expect(parse(text)).toEqual(JSON.parse(text)),
);

describe('rejects', () => {
  it.each<[string, string, string]>([
    ['depth', '[[[[]]]]', 'x.json is JSON nested deeper than 3 levels'],
    ['depth that never closes', '['.repeat(1e7), 'nested deeper than 3 levels'],
    ['many values', `[${'1,'.repeat(20)}1]`, 'is JSON with more than 20 values'],
    ['many objects', `[${'{} '.repeat(21)}]`, 'is JSON with more than 20 values'],
    ['a key twice', '{"a":1,"a":1}', 'has the same key twice in one object'],
    ['a key twice, written differently', '{"a":{"b":1,"\\u0062":2}}', 'has the same key twice in one object'],
    ['an open text', '"abc\\', 'is not valid JSON: a text that ends too early'],
    ['nothing', '', 'is not valid JSON: a text that ends too early'],
    ['an object cut short', '{"a": 1,\n', 'x.json is not valid JSON: '],
    ['a comma too few', '{"a": 1,\n"b": 2\n"c": 3}', 'is not valid JSON: something else in line 3. The file'],
    ['a word', 'secret', 'x.json is not valid JSON: something else. The file is damaged'],
  ])('%s', (_, text, message) => {
    expect(() => parse(text)).toThrow(UserError);
    expect(() => parse(text)).toThrow(message);
  });

  it('anything but UTF-8', () => {
    const bytes = Uint8Array.of(0x22, 0xff, 0x22);
    expect(() => parseBoundedJson(bytes, { depth: 1, values: 1 }, 'x')).toThrow(
      'x is not valid JSON: it is not UTF-8',
    );
  });
});

it('a changed byte is rejected, or parsed as by JSON.parse', () => {
  const limits = { depth: 3, values: 40 };
  const text =
    '{"__metadata__":{"a":"b\\n\\u00e9"},"x":{"shape":[1,20],"at":[-0.5,3e2]},"y":[true,false,null]}';
  const bytes = new TextEncoder().encode(text);
  const values = [...new TextEncoder().encode('"\\{}[],:0-e u'), 0, 0xff];
  const inputs = Array.from(bytes, (_, at) => values.map((value) => bytes.with(at, value))).flat();
  const read = (input: Uint8Array) => parseBoundedJson(input, limits, 'x.json');
  readOrRefuse(inputs, read, (value, input) => {
    expect(value).toEqual(JSON.parse(new TextDecoder().decode(input)));
    expect(countOf(value)).toBeLessThanOrEqual(limits.values);
  });
});

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((count, inner) => count + countOf(inner), 1);
}

it('editJson changes an object and keeps the spelling of its numbers', () => {
  const text = '{"a": 0.0, "b": [1e-05, -30.0, 1, 12], "c": "1.0", "d\\" 2.0": {"e": 1E3}, "gone": 0.5}';
  const edited = editJson(text, ({ gone, ...rest }) => ({ ...rest, c: 'new 1.0', f: 3 }));
  expect(edited.replace(/\s/g, '')).toBe(
    '{"a":0.0,"b":[1e-05,-30.0,1,12],"c":"new1.0","d\\"2.0":{"e":1E3},"f":3}',
  );
});
