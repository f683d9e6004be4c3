import { describe, expect, it } from 'vitest';
import { hasInputFiles, isUsable, neededFiles } from './model-files.ts';
import { parseModelId } from './model-id.ts';

describe('parseModelId', () => {
  it.each([
    ['gpt2', { name: 'gpt2', revision: 'main' }],
    ['google/bert_uncased_L-2', { name: 'google/bert_uncased_L-2', revision: 'main' }],
    ['a/b@v1.0', { name: 'a/b', revision: 'v1.0' }],
    ['a/b@refs/pr/1', { name: 'a/b', revision: 'refs/pr/1' }],
  ])('%s', (text, id) => expect(parseModelId(text)).toEqual(id));

  it('uses the separate revision if the id has none', () => {
    expect(parseModelId('a/b', 'dev')?.revision).toBe('dev');
    expect(parseModelId('a/b@v1', 'dev')?.revision).toBe('v1');
  });

  it.each([
    '',
    './a',
    '/a/b',
    '../a',
    'a/b/c',
    'a\\b',
    'a/..',
    'a--b/c',
    '-a/b',
    'a/b.',
    `a/${'b'.repeat(100)}`,
    'a b',
  ])('returns null for "%s"', (text) => expect(parseModelId(text)).toBeNull());

  it.each(['a/b@../../x', 'a/b@x/../y', 'a/b@/x', 'a/b@x//y', 'a/b@x y', 'a/b@.'])(
    'rejects the revision of %s',
    (text) => expect(() => parseModelId(text)).toThrow('after @, which is not a branch, tag or commit'),
  );
});

describe('files', () => {
  it('needed: description first, weights last, one copy of them', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = 'model.safetensors.index.json';
    const others = ['README.md', 'pytorch_model.bin', 'model.fp16.safetensors', 'adapter_model.safetensors'];
    expect(
      neededFiles([...others, 'model.safetensors', 'vocab.txt', 'config.json', index, ...shards]),
    ).toEqual(['config.json', 'vocab.txt', 'model.safetensors']);
    expect(neededFiles(['preprocessor_config.json', 'model.safetensors', 'config.json'])).toEqual([
      'config.json',
      'preprocessor_config.json',
      'model.safetensors',
    ]);
    expect(neededFiles([...shards, index, 'config.json'])).toEqual(['config.json', index, ...shards]);
    expect(neededFiles([...others, 'config.json'])).toEqual(['config.json', 'pytorch_model.bin']);
    expect(neededFiles(['README.md', 'model.fp16.safetensors', 'flax_model.msgpack'])).toBeNull();
  });

  it('usable: configuration and all weights', () => {
    expect(isUsable(['config.json', 'model.safetensors'], [])).toBe(true);
    expect(isUsable(['model.safetensors'], [])).toBe(false);
    expect(isUsable(['config.json'], [])).toBe(false);
    expect(isUsable(['config.json', 'model.safetensors.index.json', 'a'], ['a', 'b'])).toBe(false);
    expect(isUsable(['config.json', 'model.safetensors.index.json', 'a', 'b'], ['a', 'b'])).toBe(true);
    expect(hasInputFiles(['special_tokens_map.json'])).toBe(false);
    expect(hasInputFiles(['preprocessor_config.json'])).toBe(true);
  });
});
