import { expect, it } from 'vitest';
import { shallowJson } from './json.ts';

const nested = (depth: number) => `${'['.repeat(depth)}"[{\\"["${']'.repeat(depth)}`;

it('parses what is at most 64 deep, whatever is in its strings', () => {
  expect(JSON.stringify(shallowJson(nested(64)))).toBe(nested(64));
  expect(shallowJson('[[], {"a": "]]"}, []]')).toEqual([[], { a: ']]' }, []]);
});

it('does not parse deeper JSON', () => {
  let parsed = 0;
  const parse = () => parsed++;
  expect(() => shallowJson(nested(65), parse)).toThrow('too deeply nested lists or objects');
  expect(() => shallowJson('['.repeat(2 ** 20), parse)).toThrow(SyntaxError);
  expect(parsed).toBe(0);
  expect(() => shallowJson('["a')).toThrow(SyntaxError);
});
