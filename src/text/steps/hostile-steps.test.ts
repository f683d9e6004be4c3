import { expect, it } from 'vitest';
import { UserError } from '../../support/user-error.ts';
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

it('a normalizer of thousands of steps is rejected', () => {
  const none = { type: 'Replace', pattern: { String: 'b' }, content: '' };
  expect(() => pipeline(sequence(1001, none))).toThrow('the normalizer has 1001 steps, more than 1000');
  expect(pipeline(sequence(60, none)).tokens('ab')).toMatchObject([{ id: 1 }]);
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
