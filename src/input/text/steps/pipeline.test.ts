import { expect, it } from 'vitest';
import { UserError } from '../../../support/user-error.ts';
import { Pipeline } from './pipeline.ts';
import { tokenizerJson } from './tokenizer-json.ts';

const model = { type: 'WordPiece', vocab: { '[UNK]': 0, a: 1, '##a': 2 }, unk_token: '[UNK]' };
const pipeline = (parts: object) => new Pipeline(tokenizerJson.parse({ model, ...parts }));
const doubling = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
const sequence = (count: number, step: object) => ({
  normalizer: { type: 'Sequence', normalizers: Array.from({ length: count }, () => step) },
});

it('a normalizer that makes a text far longer is rejected before it fills the memory', () => {
  const grows = pipeline(sequence(40, doubling));
  expect(() => grows.tokens('a')).toThrow(UserError);
  expect(() => grows.tokens('a')).toThrow('characters of a text, more than the maximum of 1032');
  // A single step and an added token are limited too.
  const once = { normalizer: { ...doubling, content: 'a'.repeat(2 ** 20) } };
  expect(() => pipeline(once).tokens('a'.repeat(900))).toThrow(UserError);
  const added = { added_tokens: [{ id: 3, content: 'aaa' }], ...sequence(40, doubling) };
  expect(() => pipeline(added)).toThrow(UserError);
});

it('thousands of steps are applied to a short text, and rejected for a long one', () => {
  const none = { type: 'Replace', pattern: { String: 'b' }, content: '' };
  const split = { type: 'Split', pattern: { String: 'b' }, behavior: 'Removed' };
  const splits = { pre_tokenizer: { type: 'Sequence', pretokenizers: Array(1000).fill(split) } };
  for (const parts of [sequence(1000, none), splits]) {
    const many = pipeline(parts);
    for (let i = 0; i < 3; i++) expect(many.tokens('ab')).toMatchObject([{ id: 1 }]);
    const tokens = () => many.tokens('a'.repeat(300_000));
    expect(tokens).toThrow(UserError);
    expect(tokens).toThrow('takes more than 134217728 steps for a text of 300000 characters');
  }
});

it('the time for a long word depends only on the lengths of tokens', () => {
  const unlimited = { model: { ...model, max_input_chars_per_word: 2 ** 30 } };
  expect(pipeline(unlimited).tokens('a'.repeat(200_000))).toHaveLength(200_000);
  const long = {
    ...model,
    vocab: { ...model.vocab, ['b'.repeat(2 ** 20)]: 3 },
    max_input_chars_per_word: 2 ** 30,
  };
  expect(() => pipeline({ model: long }).tokens('a'.repeat(100_000))).toThrow(
    'has 100000 characters. The tokenizer allows words of 1073741824 characters',
  );
});
