import { existsSync, readFileSync } from 'node:fs';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { fixtureTokenizer, languageFixture } from '../../../tests/support/language-fixtures.ts';
import { NO_WORD, wordEncoder } from './encode-words.ts';
import { TextTokenizer } from './tokenizer.ts';

interface Fixture {
  maxLengths: number[];
  sentences: string[][];
  /** For each tokenizer: the sentences at the first length, then at the second. */
  encodings: Record<string, { ids: string; words: string }[]>;
}
const fixture: Fixture = languageFixture('words');
const COLA = '../shared/data/glue/CoLA/train.tsv';

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

function open(name: string) {
  if (name !== 'mini') return fixtureTokenizer(name);
  const tokenizerJson = json('models/mini/tokenizer.json');
  const config = json('models/mini/tokenizer_config.json');
  return { tokenizerJson, tokenizer: new TextTokenizer(tokenizerJson, config, { typeVocabSize: 2 }) };
}

describe.each(Object.keys(fixture.encodings))('words of %s', (name) => {
  const { tokenizer, tokenizerJson } = open(name);

  it('have the same pieces as in transformers', () => {
    const made = fixture.maxLengths.flatMap((maxLength) =>
      fixture.sentences.map((words) => {
        const { inputIds, wordIds } = wordEncoder(tokenizer, maxLength)(words);
        return { ids: inputIds.join(' '), words: wordIds.join(' ') };
      }),
    );
    fixture.encodings[name]!.forEach((expected, i) => {
      expect(made[i], JSON.stringify(fixture.sentences[i % fixture.sentences.length])).toEqual(expected);
    });
  });

  // The npm package of the Rust library does not accept words, so the words are encoded one by one.
  it.skipIf(!existsSync(COLA))('of real sentences have the pieces of the Rust library', async () => {
    const copy = structuredClone(tokenizerJson);
    if (copy.pre_tokenizer?.type === 'ByteLevel') copy.pre_tokenizer.add_prefix_space = true;
    const rust = RustTokenizer.fromString(JSON.stringify({ ...copy, padding: null, truncation: null }));
    const sentences = readFileSync(COLA, 'utf8')
      .split('\n')
      .slice(0, 3000)
      .map((line): string[] => line.split('\t')[3]?.match(/[\p{L}\p{N}]+|\S/gu) ?? []);
    const words = [...new Set(sentences.flat())];
    const encoded = await rust.encodeBatch(words, { addSpecialTokens: false });
    const idsOf = new Map(words.map((word, i) => [word, encoded[i]!.getIds()]));
    const encode = wordEncoder(tokenizer, 512);
    for (const sentence of sentences) {
      const { inputIds, wordIds } = encode(sentence);
      const pieces = sentence.map((_, word) => [...inputIds].filter((_, at) => wordIds[at] === word));
      expect(pieces).toEqual(sentence.map((word) => idsOf.get(word)));
    }
  });
});

describe('wordEncoder', () => {
  const { tokenizer } = open('mini');

  it('reports truncation, and needs room', () => {
    const words = ['one', 'two', '\u200b'];
    expect(wordEncoder(tokenizer, 4)(words)).toMatchObject({
      truncated: false,
      wordIds: Int32Array.of(-1, 0, 1, -1),
    });
    expect(wordEncoder(tokenizer, 3)(words)).toMatchObject({
      truncated: true,
      wordIds: Int32Array.of(-1, 0, NO_WORD),
    });
    expect(() => wordEncoder(tokenizer, 2)).toThrow(
      'data.max_length must be at least 3, because 2 tokens are special',
    );
  });

  it('puts a space before words only of byte-level tokenizers', () => {
    const gpt2 = open('gpt2').tokenizer;
    expect(gpt2.forWords()).not.toBe(gpt2);
    expect(gpt2.forWords().decode(gpt2.forWords().ids('cat'))).toBe(' cat');
    expect(gpt2.decode(gpt2.ids('cat'))).toBe('cat');
    for (const name of ['mini', 'llama2', 'llama3', 'xlm-roberta']) {
      const other = open(name).tokenizer;
      expect(other.forWords()).toBe(other);
    }
  });
});
