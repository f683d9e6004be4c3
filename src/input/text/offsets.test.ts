import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixtureTokenizer, languageFixture } from '../../../tests/support/language-fixtures.ts';
import type { OffsetsEncoding } from './encoding.ts';
import { TextTokenizer } from './tokenizer.ts';

interface Encodings {
  /** `tokens` has `id start end` of each token, `sequences` the index of its text (`-` for special tokens). */
  single: { tokens: string; sequences: string }[];
  pair: { tokens: string; sequences: string }[];
}
const { texts, encodings }: { texts: string[]; encodings: Record<string, Encodings> } =
  languageFixture('offsets');

function open(name: string): TextTokenizer {
  if (name === 'mini') {
    const json = (file: string) => JSON.parse(readFileSync(`models/mini/${file}`, 'utf8'));
    return new TextTokenizer(json('tokenizer.json'), json('tokenizer_config.json'), { typeVocabSize: 2 });
  }
  if (name !== 'trimmed') return fixtureTokenizer(name).tokenizer;
  const ends = ['<|endoftext|>', 0];
  const post_processor = {
    type: 'RobertaProcessing',
    sep: ends,
    cls: ends,
    trim_offsets: true,
    add_prefix_space: false,
  };
  return new TextTokenizer({ ...languageFixture('gpt2'), post_processor }, {}, { typeVocabSize: 1 });
}

function told({ inputIds, starts, ends, sequenceIds }: OffsetsEncoding) {
  return {
    tokens: [...inputIds].map((id, i) => `${id} ${starts[i]} ${ends[i]}`).join(' '),
    sequences: [...sequenceIds].map((id) => (id < 0 ? '-' : id)).join(''),
  };
}

describe.each(Object.keys(encodings))('tokens of %s', (name) => {
  const tokenizer = open(name);

  it('have the same offsets as in transformers', () => {
    for (const [i, text] of texts.entries())
      expect(told(tokenizer.encodeWithOffsets(text)), JSON.stringify(text)).toEqual(
        encodings[name]!.single[i],
      );
  });

  it('have the same offsets in pairs', () => {
    for (const [i, text] of texts.entries()) {
      const encoding = tokenizer.encodeWithOffsets(text, texts[(i + 1) % texts.length]);
      expect(told(encoding), JSON.stringify(text)).toEqual(encodings[name]!.pair[i]);
    }
  });
});
