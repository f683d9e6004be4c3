import { expect, it } from 'vitest';
import { compilePattern } from './compile-pattern.ts';

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
];

it.each(KNOWN)('accepts %s', (Regex) => {
  expect(compilePattern({ Regex })).toBeInstanceOf(RegExp);
});

it.each([
  '(a+)+$',
  'x(?:a*)*!',
  '(a|a)*b',
  '(a|b|ab)*c',
  '(a?a)+$',
  '(?:[a-z]|\\w)+!',
  '((a{1,30}))+b',
  '(?<=(a+)+)b',
  '\\s*\\s*\\s*x',
  '(?:a*b*)c*d*e',
])('rejects %s, which could search forever', (Regex) => {
  expect(() => compilePattern({ Regex })).toThrow('the pattern ');
});
