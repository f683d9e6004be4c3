import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { expect, it } from 'vitest';
import { Effort, TooMuchEffort } from '../../../support/regex/effort.ts';
import { compilePattern, type Pattern } from './compile-pattern.ts';

const compile = (pattern: Pattern) => compilePattern(pattern, new Effort(2 ** 28));
const found = (pattern: Pattern, text: string) =>
  [...compile(pattern)(text)].map(({ from, to }) => text.slice(from, to));

/** The patterns of GPT-2, Llama 3, GPT-4o, DeepSeek-V3, BLOOM and CLIP, and plausible others. */
const KNOWN = [
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\s+`,
  String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_` +
    '`' +
    String.raw`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw` ?[^(\s|[.,!?…。，、।۔،])]+`,
  String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
  String.raw`(?=(\d{3})+(?!\d))`,
  String.raw`(?:\r?\n)+`,
  String.raw`(?:\p{L}|\p{M})+`,
  String.raw`\b\w+\b|^#+|\.$`,
];

const TEXT =
  "We've seen 12,345 cats…  and DOGS!\n\n  It's a b\u00e9b\u00e9 <|startoftext|>, не так\r\nли? 日本 😀 x\t# y. ";

it.each(KNOWN)('finds what RegExp finds for %s', (Regex) => {
  const { pattern } = new SplitPreTokenizer({ type: 'Split', pattern: { Regex } });
  const expected = [...TEXT.matchAll(pattern!)].map(([match]) => match);
  expect(expected).not.toEqual([]);
  expect(found({ Regex }, TEXT)).toEqual(expected);
});

it.each([
  '(?:(?:a{1,15}){1,15}){1,15}b',
  '(?:a?a?){15}(?:a?a?){15}b',
  '(?:a|a){1,15}(?:a|a){1,15}b',
  `${'a{0,15}'.repeat(8)}b`,
  '(a+)+$',
  '(?<=(a+)+)b',
  '\\s*\\s*\\s*x',
])('%s, which RegExp would search for hours, is applied', (Regex) => {
  expect(found({ Regex }, `${'a '.repeat(20)}${'a'.repeat(40)}c${' '.repeat(2000)}`)).toEqual([]);
});

it('finds a literal as written', () => {
  expect(found({ String: '(a+)' }, 'aa(a+)(a+')).toEqual(['(a+)']);
  expect([...compile({ String: '' })('a😀')]).toEqual([0, 1, 3].map((at) => ({ from: at, to: at })));
});

it.each([
  [{ Regex: '(a' }, 'regular expression'],
  [{ Regex: '(a)\\1' }, 'the pattern (a)\\1 is not supported: it refers to what a group matched'],
  [{ Regex: 'a{99999}' }, 'the pattern a{99999} is not supported: '],
  [{ String: 'a'.repeat(10_001) }, 'a pattern has 10001 characters, more than 10000'],
])('rejects %j', (pattern, reason) => {
  expect(() => compile(pattern)).toThrow(reason);
});

it('a literal spends effort by its length', () => {
  const effort = new Effort(1000);
  const find = compilePattern({ String: 'a'.repeat(160) }, effort);
  expect([...find('a'.repeat(100))]).toEqual([]);
  expect(effort.left).toBe(0);
  expect(() => [...find('a')]).toThrow(TooMuchEffort);
});
