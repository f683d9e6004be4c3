import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { characterErrors, errorRate, normalizeTranscript, wordErrors } from './word-errors.ts';

// Written by jiwer 4.0 and transformers' BasicTextNormalizer: see scripts/oracle/word_errors.py.
const file = new URL('./fixtures/word-errors.json', import.meta.url);
const { pairs, wer, cer } = JSON.parse(readFileSync(file, 'utf8')) as {
  pairs: { text: string; reference: string; wer: number; cer: number; normalized: string }[];
  wer: number;
  cer: number;
};

it.each(pairs)('errors of "$text" are those of jiwer', ({ text, reference, ...expected }) => {
  expect(errorRate([wordErrors(text, reference)])).toBe(expected.wer);
  expect(errorRate([characterErrors(text, reference)])).toBe(expected.cer);
  expect(normalizeTranscript(text)).toBe(expected.normalized);
});

it('a corpus counts all errors and all words', () => {
  expect(errorRate(pairs.map(({ text, reference }) => wordErrors(text, reference)))).toBe(wer);
  expect(errorRate(pairs.map(({ text, reference }) => characterErrors(text, reference)))).toBe(cer);
});
