import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../tests/support/load-tokenizer.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { buildTokenizer } from './build-tokenizer.ts';

const LONG = 2 ** 20 + 1;

it('a text may have any length, unless its tokenizer cannot split it', async () => {
  const tokenizer = await loadTokenizer('models/mini', { typeVocabSize: 2 });
  const words = 'a word, '.repeat(LONG / 4);
  expect(tokenizer.encode(words, undefined, 16)).toMatchObject({ truncated: true });
  const commas = ','.repeat(LONG);
  const told = `a text with ",,,,,,,,,,,,,,,,,,,," has ${LONG} characters without a place to split, such as a space; at most 1048576 are allowed. Split it into several rows.`;
  expect(() => tokenizer.encode(commas, undefined, 16)).toThrow(told);
  expect(() => tokenizer.encode(`some words, and ${commas}`, undefined, 16)).toThrow('a text with ",,,');
  expect(() => tokenizer.encodeWithOffsets(commas)).toThrow(told);
});

const FOLDER = 'src/input/text/fixtures/slow';
const { texts }: { texts: string[] } = JSON.parse(readFileSync(join(FOLDER, 'texts.json'), 'utf8'));
const names = readdirSync(FOLDER).filter((name) => !name.includes('.'));

/** One line per text: its tokens as `id start end`, and which text each belongs to. */
function expectedOf(name: string) {
  const lines = readFileSync(join(FOLDER, name, 'expected.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  const [{ pair }, ...expected] = lines.map((line) => JSON.parse(line));
  return { pair: pair as number[], expected: expected as { ids: string; tokens: string[] }[] };
}

describe.each(names)('a folder of %s', (name) => {
  it('has the same ids, tokens and offsets as in transformers', async () => {
    const tokenizer = await loadTokenizer(join(FOLDER, name), { typeVocabSize: 2 });
    const { pair, expected } = expectedOf(name);
    for (const [i, text] of texts.entries()) {
      const { inputIds, tokens, starts, ends } = tokenizer.encodeWithOffsets(text);
      const ids = [...inputIds].map((id, i) => `${id} ${starts[i]} ${ends[i]}`).join(' ');
      expect({ ids, tokens }, JSON.stringify(text)).toEqual(expected[i]);
      expect([...tokenizer.encode(text, undefined, 4096).inputIds]).toEqual([...inputIds]);
    }
    expect([...tokenizer.encode('one two', 'three', 64).inputIds]).toEqual(pair);
  });
});

describe('invalid files', () => {
  const folder = newFolder();
  const spm = readFileSync(join(FOLDER, 'deberta-v3', 'spm.model'));
  const load = (files: Record<string, string | Uint8Array>) => {
    const bytes = Object.entries(files).map(([name, content]): [string, Uint8Array] => [
      name,
      Buffer.from(content),
    ]);
    return () => buildTokenizer(new Map(bytes), (name) => `model/${name}`, { typeVocabSize: 1 });
  };
  const config = { 'config.json': '{"model_type":"deberta-v2"}' };

  it.each([
    [
      'no model at all',
      { 'spm.model': new Uint8Array(0) },
      'model/spm.model is not a valid sentencepiece model: it has no pieces',
    ],
    [
      'cut short',
      { 'spm.model': spm.subarray(0, 3000) },
      'model/spm.model is not a valid sentencepiece model',
    ],
    [
      'a length that is not there',
      { 'spm.model': Uint8Array.of(10, 255, 255, 255, 127) },
      'model/spm.model is not a valid sentencepiece model',
    ],
  ])('%s', (_, files, message) => {
    expect(load({ ...config, ...files })).toThrow(message);
  });

  it('of an unknown class, or without a class', () => {
    const files = { 'spm.model': spm };
    expect(load({ ...files, 'tokenizer_config.json': '{"tokenizer_class":"DebertaTokenizerr"}' })).toThrow(
      'this is DebertaTokenizerr',
    );
    expect(load({ ...files, 'config.json': '{"model_type":"bloom"}' })).toThrow(
      'model/tokenizer.json does not exist',
    );
  });

  it('with changed bytes give a tokenizer or a message', () => {
    for (let at = 0; at < spm.length; at += 37) {
      const bytes = Uint8Array.from(spm);
      bytes[at]! ^= 1 << (at % 8);
      try {
        load({ ...config, 'spm.model': bytes })().ids('one Two ½ ﬁ\u0301');
      } catch (error) {
        if (!(error instanceof UserError) && !/unk_id|unk_token/.test((error as Error).message)) throw error;
      }
    }
  });

  it('of text: a vocabulary without its special tokens, or of a class that needs a tokenizer.json', async () => {
    const gpt2 = { 'config.json': '{"model_type":"gpt2"}', 'vocab.json': '{"a":0,"<|endoftext|>":1}' };
    expect(load(gpt2)).toThrow('model/tokenizer.json does not exist. Save it beside the model');
    expect(load({ 'config.json': '{"model_type":"bert"}', 'vocab.txt': 'a\n' })).toThrow(
      'model/vocab.txt has no line [UNK]',
    );
    writeFileSync(join(folder, 'vocab.txt'), Buffer.of(0xff, 0xfe));
    writeFileSync(join(folder, 'config.json'), '{"model_type":"bert"}');
    await expect(loadTokenizer(folder, { typeVocabSize: 1 })).rejects.toThrow(' is not UTF-8 text.');
  });
});
