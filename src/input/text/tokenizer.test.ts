import { existsSync, readFileSync } from 'node:fs';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixtureTokenizer, languageFixture } from '../../../tests/support/language-fixtures.ts';
import { loadTokenizer } from '../../../tests/support/load-tokenizer.ts';
import type { OffsetsEncoding } from './encoding.ts';
import { TextTokenizer } from './tokenizer.ts';

const folder = '../shared/models/all-MiniLM-L6-v2';
const glue = '../shared/data/glue';

type Texts = [string, string?];

/** The oracle's ids and type ids for many texts at one maximum length, a line for each. */
async function oracle(rust: RustTokenizer, texts: Texts[], maxLength: number): Promise<string[]> {
  rust.setTruncation(maxLength);
  const encodings = await Promise.all(texts.map(([a, b]) => rust.encode(a, b ?? null)));
  return encodings.map((encoding) => `${encoding.getIds()} types ${encoding.getTypeIds()}`);
}

function ours(tokenizer: TextTokenizer, texts: Texts[], maxLength: number): string[] {
  return texts.map(([a, b]) => {
    const { inputIds, tokenTypeIds } = tokenizer.encode(a, b, maxLength);
    return `${inputIds} types ${tokenTypeIds}`;
  });
}

const NASTY = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  'tab\tnewline\r\nend\u000bvertical\u000cfeed',
  'no\u00a0break\u2003em\u3000ideographic\u2028line\u0085next',
  'zero\u200bwidth\u200djoiner\ufeffmark soft\u00adhyphen \ufffd',
  'naïve café Ångström İstanbul Straße ﬁn ǅ',
  'e\u0301 combining \u0301 alone',
  'ΟΔΥΣΣΕΥΣ Σ ΑΣ. ὈΔΥΣΣΕΎΣ',
  '你好，世界 東京タワー 한국어 abc世def世\u0301x 世[SEP]界',
  '々〇㐀㊀豈鿿ꀀ', // The first and last ideographs of the ranges.
  '\u{20000}\u{2a6d6}a\u{2b740}b \u{2f800}',
  '😀 👩‍👩‍👧‍👦 🇩🇪🏳️‍🌈 a😀b',
  'שלום العربية हिन्दी ไทย',
  "don't won't (a)[b]{c} 3.14% $5 a_b a-b #tag @me http://x.y/z?q=1&r=2",
  '`^~|<>+= “quoted” ‘single’ — – … ¿¡ §¶†',
  'a'.repeat(100),
  'a'.repeat(101),
  `${'é'.repeat(100)} ${'x'.repeat(5000)} end`,
  '[CLS] text [SEP] [MASK] in[MASK]side [PAD][UNK] [cls]',
  '##ing ## #',
  'constructor __proto__ hasOwnProperty toString',
  `${'word '.repeat(3000)}`,
  `${'!?'.repeat(600)}`,
];

describe.skipIf(!existsSync(folder))('MiniLM equals the Rust library', () => {
  let tokenizer: TextTokenizer;
  let rust: RustTokenizer;
  beforeAll(async () => {
    tokenizer = await loadTokenizer(folder, { typeVocabSize: 2 });
    rust = RustTokenizer.fromFile(`${folder}/tokenizer.json`);
    rust.disablePadding();
  });

  const lines = (file: string, columns: number[], count: number): Texts[] =>
    readFileSync(`${glue}/${file}`, 'utf8')
      .split('\n')
      .slice(1, count)
      .map((line) => line.split('\t'))
      .filter((fields) => columns.every((column) => fields[column] !== undefined))
      .map((fields) => columns.map((column) => fields[column]) as Texts);

  it.skipIf(!existsSync(glue)).each([
    ['CoLA/train.tsv', [3], 9000, [512, 12]],
    ['SST-2/train.tsv', [0], 3000, [128]],
    ['MRPC/train.tsv', [3, 4], 4000, [128, 64, 33]],
    ['QNLI/dev.tsv', [1, 2], 2000, [128, 41]],
    ['RTE/train.tsv', [1, 2], 3000, [128]],
  ] as [string, number[], number, number[]][])('%s', async (file, columns, count, maxLengths) => {
    const texts = lines(file, columns, count);
    expect(texts.length).toBeGreaterThan(1000);
    for (const [i, max] of maxLengths.entries()) {
      // Other lengths change only where texts are cut.
      const some = i === 0 ? texts : texts.slice(0, 1000);
      expect(ours(tokenizer, some, max)).toEqual(await oracle(rust, some, max));
    }
  });

  it('nasty strings', async () => {
    const texts = NASTY.map((text): Texts => [text]);
    for (const max of [512, 7, 3])
      expect(ours(tokenizer, texts, max)).toEqual(await oracle(rust, texts, max));
  });

  // The npm oracle truncates two long texts differently from transformers: see cut-text.test.ts.
  it('pairs of nasty strings', async () => {
    const texts = NASTY.flatMap((a) => NASTY.map((b): Texts => [a, b]));
    for (const max of [512, 24, 6]) {
      const isLong = (text = '') => tokenizer.encode(text, undefined, max + 1).truncated;
      const compared = texts.filter(([a, b]) => !(isLong(a) && isLong(b)));
      expect(compared.length).toBeGreaterThan(texts.length / 5);
      expect(ours(tokenizer, compared, max)).toEqual(await oracle(rust, compared, max));
    }
  });

  it('pairs of every length', async () => {
    const sizes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const texts = sizes.flatMap((a) => sizes.map((b): Texts => ['a '.repeat(a), 'b '.repeat(b)]));
    for (let max = 9; max < 20; max++) {
      expect(ours(tokenizer, texts, max)).toEqual(await oracle(rust, texts, max));
    }
  });

  it('characters one by one', async () => {
    const isPlane = (code: number) => code < 0xd800 || (code > 0xdfff && code < 0x32000);
    const codes = Array.from({ length: 0x32000 }, (_, code) => code).filter(
      (code) => isPlane(code) && code % 7 < 2,
    );
    // Words of sixteen characters' texts are encoded at once, because each call costs as much as all of them.
    const texts = Array.from({ length: Math.ceil(codes.length / 16) }, (_, i): Texts => {
      const words = codes.slice(16 * i, 16 * (i + 1)).map((code) => `ab${String.fromCodePoint(code)}cd`);
      return [words.join(' ')];
    });
    expect(ours(tokenizer, texts, 512)).toEqual(await oracle(rust, texts, 512));
  });

  it('reports truncation', () => {
    expect(tokenizer.encode('one two three', undefined, 5).truncated).toBe(false);
    expect(tokenizer.encode('one two three', undefined, 4).truncated).toBe(true);
    expect(tokenizer.encode('one two', 'three', 5).truncated).toBe(true);
  });

  it('handles 100,000 characters', () => {
    const { inputIds, truncated } = tokenizer.encode('x!'.repeat(50_000), undefined, 128);
    expect([inputIds.length, truncated]).toEqual([128, true]);
  });

  it('has the padding id and the length, and rejects a length without room', () => {
    expect([tokenizer.padId, tokenizer.modelMaxLength]).toEqual([0, 512]);
    expect(() => tokenizer.encode('a', 'b', 4)).toThrow(
      'data.max_length must be at least 5, because 3 tokens are special',
    );
  });

  it('types are 0 for a model without types', async () => {
    const plain = await loadTokenizer(folder, { typeVocabSize: 1 });
    expect([...plain.encode('a', 'b', 8).tokenTypeIds]).toEqual([0, 0, 0, 0, 0]);
  });

  it('reads the casing from tokenizer_config.json, like transformers', async () => {
    const json = JSON.parse(readFileSync(`${folder}/tokenizer.json`, 'utf8'));
    const cased = new TextTokenizer(json, { do_lower_case: false }, { typeVocabSize: 2 });
    json.normalizer.lowercase = false;
    json.padding = null;
    const rustCased = RustTokenizer.fromString(JSON.stringify(json));
    const texts: Texts[] = [['The Café in ΑΣ'], ['the cafe']];
    expect(ours(cased, texts, 64)).toEqual(await oracle(rustCased, texts, 64));
  });
});

/** A byte-level BPE tokenizer like RoBERTa's, with a handful of merges. */
function robertaJson() {
  const bytes = [...'abcdefghijklmnopqrstuvwxyzĠ.,!', 'Ã', '©'];
  const merges = [
    ['Ġ', 't'],
    ['h', 'e'],
    ['Ġt', 'he'],
    ['c', 'a'],
    ['ca', 't'],
    ['Ġ', 'cat'],
  ];
  const tokens = [
    '<s>',
    '<pad>',
    '</s>',
    '<unk>',
    ...bytes,
    ...merges.map((pair) => pair.join('')),
    '<mask>',
  ];
  const special = (content: string, lstrip = false) => ({
    id: tokens.indexOf(content),
    content,
    single_word: false,
    lstrip,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const added_tokens = [
    special('<s>'),
    special('<pad>'),
    special('</s>'),
    special('<unk>'),
    special('<mask>', true),
  ];
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: { ...byteLevel, type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0] },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

describe("RoBERTa's form equals the Rust library", () => {
  it('ids and types of texts and pairs', async () => {
    const config = { pad_token: { content: '<pad>' }, model_max_length: 512 };
    const tokenizer = new TextTokenizer(robertaJson(), config, { typeVocabSize: 1 });
    const rust = RustTokenizer.fromString(JSON.stringify(robertaJson()));
    const words = ['', 'the cat', ' the cat, the  cat!', 'the <mask> cat', 'café', 'cat '.repeat(40)];
    const texts = [...words.map((a): Texts => [a]), ...words.flatMap((a) => words.map((b): Texts => [a, b]))];
    for (const max of [512, 21, 10])
      expect(ours(tokenizer, texts, max)).toEqual(await oracle(rust, texts, max));
    expect(tokenizer.padId).toBe(1);
  });
});

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

describe('the bytes of tokens', () => {
  const TEXTS = [
    '{"name": "Zoë", "n": [1, 2.5e3, null]}',
    'a  b\n\tc 😀 ☃',
    '{ "a" : "\u0001 ü" }',
    ' .  , 1',
  ];

  // A generation that is kept to a schema reads these bytes, and a person gets the decoded text.
  it.each(['gpt2', 'llama2', 'llama3'])('of %s are those of the decoded text', (name) => {
    const { tokenizer } = fixtureTokenizer(name);
    for (const text of TEXTS) {
      const ids = tokenizer.ids(`a${text}`);
      const bytes = Array.from(ids).flatMap((id) => [...(tokenizer.tokenBytes()[id] ?? [])]);
      // The first token of SentencePiece has a space that decoding removes.
      expect(new TextDecoder().decode(Uint8Array.from(bytes)).replace(/^ a/, 'a')).toBe(
        tokenizer.decode(ids),
      );
    }
  });
});
