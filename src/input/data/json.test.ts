import { expect, it } from 'vitest';
import { exactJson, shallowJson } from './json.ts';

it.each([
  ['{"id":1234567890123456789}', { id: '1234567890123456789' }],
  ['[1234567890123456788,-9007199254740993]', ['1234567890123456788', '-9007199254740993']],
  ['[9007199254740992,1e20,0.1234567890123456]', [9007199254740992, 1e20, 0.1234567890123456]],
  ['[0.12345678901234567,0.12345678901234568]', ['0.12345678901234567', 0.12345678901234568]],
  ['[1e400,-1e999,1e-400]', ['1e400', '-1e999', '1e-400']],
  ['[1.50000000000000000000,100000000000000000000000]', [1.5, 1e23]],
  ['{"a":"1234567890123456789","1234567890123456789":"\\\\\\"1234567890123456789"}', undefined],
])('exactJson keeps all digits of %s', (text, expected) =>
  expect(exactJson(text)).toEqual(expected ?? JSON.parse(text)),
);

it('exactJson rejects what JSON.parse rejects', () => {
  for (const text of [
    '01234567890123456789',
    '[1234567890123456789',
    '+1234567890123456789',
    '1234567890123456789x',
  ])
    expect(() => exactJson(text)).toThrow(SyntaxError);
});

it('exactJson reads megabytes of digits in one pass', () => {
  const digits = `1${'0'.repeat(2 ** 20)}1`;
  expect(exactJson(`[${digits},"${digits}"]`)).toEqual([digits, digits]);
});

const nested = (depth: number) => `${'['.repeat(depth)}"[{\\"["${']'.repeat(depth)}`;

it('shallowJson parses what is at most 64 deep, whatever is in its strings', () => {
  expect(JSON.stringify(shallowJson(nested(64)))).toBe(nested(64));
  expect(shallowJson('[[], {"a": "]]"}, []]')).toEqual([[], { a: ']]' }, []]);
});

it('shallowJson does not parse deeper JSON', () => {
  let parsed = 0;
  const parse = () => parsed++;
  expect(() => shallowJson(nested(65), parse)).toThrow('too deeply nested lists or objects');
  expect(() => shallowJson('['.repeat(2 ** 20), parse)).toThrow(SyntaxError);
  expect(parsed).toBe(0);
  expect(() => shallowJson('["a')).toThrow(SyntaxError);
});
