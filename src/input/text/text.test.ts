import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../tests/support/load-tokenizer.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { collate } from './batches.ts';
import { maxLength } from './cut-text.ts';

describe('collate', () => {
  const encoding = (ids: number[], types: number[]) => ({
    inputIds: Int32Array.from(ids),
    tokenTypeIds: Int32Array.from(types),
    truncated: false,
  });
  const encodings = [encoding([5, 6, 7], [0, 0, 1]), encoding([8], [0])];

  it('pads to the longest', () => {
    expect(collate(encodings, 9)).toEqual({
      inputIds: Int32Array.of(5, 6, 7, 8, 9, 9),
      attentionMask: Int32Array.of(1, 1, 1, 1, 0, 0),
      tokenTypeIds: Int32Array.of(0, 0, 1, 0, 0, 0),
      batch: 2,
      length: 3,
    });
  });
});

describe('maxLength', () => {
  it('is the limit of both tokenizer and model', () => {
    expect(maxLength(undefined, 1e30, 512)).toBe(512);
    expect(maxLength(undefined, 128, 512)).toBe(128);
    expect(maxLength(256, 128, 512)).toBe(256);
  });

  it.each([513, 0, -1, 1.5])('rejects %d', (requested) => {
    expect(() => maxLength(requested, 512, 512)).toThrow(
      `data.max_length must be a whole number from 1 to 512, the model's max_position_embeddings, got ${requested}.`,
    );
  });
});

describe('loadTokenizer', () => {
  const folder = newFolder();
  const load = (json?: string) => async () => {
    if (json !== undefined) writeFileSync(join(folder, 'tokenizer.json'), json);
    return loadTokenizer(folder, { typeVocabSize: 2 });
  };

  it('reports missing and invalid files', async () => {
    await expect(load()()).rejects.toThrow(/tokenizer\.json does not exist\. Save it/);
    await expect(load('{}')()).rejects.toThrow(/tokenizer_config\.json does not exist\./);
    writeFileSync(join(folder, 'tokenizer_config.json'), '{}');
    await expect(load('{"model"')()).rejects.toThrow(/tokenizer\.json is not valid JSON: /);
    await expect(load('[]')()).rejects.toThrow(/tokenizer\.json is not a JSON object\./);
    await expect(load('{}')()).rejects.toThrow(/tokenizer\.json is not a readable tokenizer: .*model/);
  });
});
