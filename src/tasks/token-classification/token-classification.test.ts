import { describe, expect, it } from 'vitest';
import { textsOfJson } from '../../../tests/support/plain-texts.ts';
import { TINY_TOKENIZER } from '../../../tests/support/tiny-model.ts';
import { readSentences } from './read-sentences.ts';
import { taggedWords } from './read-words.ts';
import { tagIds, tagNames } from './token-evaluation.ts';
import { firstPieces, wordExamples } from './word-examples.ts';

const read = (content: string, label_names?: string[]) =>
  readSentences(content, 'x.conll', { label_names }, true);
const EUROPE = 'EU B-ORG\nof O\nBonn B-LOC\n\nAnn B-PER\nLee I-PER\n';

describe('tagNames', () => {
  const names = (content: string, known?: Record<number, string>, label_names?: string[]) =>
    tagNames(read(content, label_names), label_names, 'x.conll', known);

  it('sorts like run_ner.py', () => {
    expect(names(EUROPE)).toEqual(['B-LOC', 'B-ORG', 'B-PER', 'I-PER', 'O']);
    expect(names('a b\nb B\nc _\nd a')).toEqual(['B', '_', 'a', 'b']);
  });

  it("uses the checkpoint's order if it contains all, otherwise that of label_names", () => {
    const known = { 0: 'O', 1: 'I-PER', 2: 'B-PER', 3: 'B-LOC', 4: 'B-ORG', 5: 'B-MISC' };
    const given = ['O', 'B-PER', 'I-PER', 'B-ORG', 'B-LOC'];
    expect(names(EUROPE, known)).toEqual(Object.values(known));
    expect(names(EUROPE, known, given)).toEqual(Object.values(known));
    expect(names(EUROPE, { 0: 'O', 1: 'I-PER' }, given)).toEqual(given);
    expect(names(EUROPE, { 0: 'LABEL_0', 1: 'LABEL_1' }, given)).toEqual(given);
    expect(names(EUROPE, undefined, [...given, 'B-MISC'])).toEqual([...given, 'B-MISC']);
  });

  it('needs two', () => {
    expect(() => names('a O\nb O')).toThrow('x.conll needs at least 2 different tags, got only "O".');
  });
});

describe('tagIds', () => {
  it('are indices, and report the line of an unknown tag', () => {
    expect(tagIds(read(EUROPE), ['O', 'B-PER', 'I-PER', 'B-ORG', 'B-LOC'], 'x.conll')).toEqual([
      Int32Array.of(3, 0, 4),
      Int32Array.of(1, 2),
    ]);
    expect(() => tagIds(read(EUROPE), ['B-LOC', 'B-ORG', 'B-PERS', 'O'], 'dev.conll')).toThrow(
      /^dev\.conll:5 has the tag "B-PER", .* B-PERS, /,
    );
  });
});

it('firstPieces skips special tokens, later pieces and words without pieces', () => {
  expect(firstPieces(Int32Array.of(-1, 0, 0, 2, 3, 3, -1))).toEqual({
    words: Int32Array.of(0, 2, 3),
    positions: Int32Array.of(1, 3, 4),
  });
  expect(firstPieces(Int32Array.of(-1, -1)).words.length).toBe(0);
  expect(firstPieces(new Int32Array()).words.length).toBe(0);
});

describe('wordExamples', () => {
  const id = (piece: string) => TINY_TOKENIZER.model.vocab[piece];
  const [CLS, SEP, PAD] = ['[CLS]', '[SEP]', '[PAD]'].map(id);
  const SENTENCES = [
    { words: ['cats', '\u200b', 'ran'] },
    { words: ['\u200b'] },
    { words: [] },
    { words: ['the', 'dogs', 'swam'] },
  ];
  const IDS = [Int32Array.of(1, 2, 3), Int32Array.of(4), new Int32Array(), Int32Array.of(5, 6, 7)];

  it('have their labels on first pieces', () => {
    const set = wordExamples(SENTENCES, textsOfJson(TINY_TOKENIZER, 16), IDS);
    expect(set).toMatchObject({
      lengths: Int32Array.of(5, 6),
      truncated: 0,
      sentences: Int32Array.of(0, 3),
      firstPieces: [
        { words: Int32Array.of(0, 2), positions: Int32Array.of(1, 3) },
        { words: Int32Array.of(0, 1, 2), positions: Int32Array.of(1, 2, 4) },
      ],
    });
    const { feeds, weight } = set.batch(Int32Array.of(1, 0));
    const ids = [
      [CLS, CLS],
      [id('the'), id('cat')],
      [id('dog'), id('##s')],
      [id('##s'), id('ran')],
      [id('swam'), SEP],
      [SEP, PAD],
    ];
    expect([...feeds.input_ids!.data]).toEqual(ids.flat());
    // The number of a row is position times number of examples plus example.
    expect([...feeds.label_rows!.data]).toEqual([2, 3, 4, 7, 8]);
    expect([...feeds.labels!.data]).toEqual([5, 1, 6, 3, 7]);
    expect(weight).toBe(5);
  });

  it('are truncated, also inside a word', () => {
    const set = wordExamples(SENTENCES, textsOfJson(TINY_TOKENIZER, 4), IDS);
    expect(set.truncated).toBe(2);
    const { feeds, weight } = set.batch(Int32Array.of(0, 1));
    expect([...feeds.labels!.data]).toEqual([1, 5, 6]);
    expect(weight).toBe(3);
  });

  it('need no labels, but with labels a piece', () => {
    const { feeds, weight } = wordExamples(SENTENCES, textsOfJson(TINY_TOKENIZER, 16)).batch(
      Int32Array.of(0, 1),
    );
    expect(weight).toBe(2);
    expect(feeds).not.toHaveProperty('labels');
    const silent = [{ words: ['\u200b'] }];
    expect(wordExamples(silent, textsOfJson(TINY_TOKENIZER, 16)).lengths.length).toBe(0);
    expect(() => wordExamples(silent, textsOfJson(TINY_TOKENIZER, 16), [Int32Array.of(0)])).toThrow(
      'the words have no tokens in this model.',
    );
  });
});

describe('taggedWords', () => {
  const LABELS = ['O', 'B-LOC', 'I-LOC', 'B-PER'];
  const logits = (...ids: number[]) =>
    Float32Array.from(ids.flatMap((id) => LABELS.map((_, label) => (label === id ? Math.log(3) : 0))));

  it('returns the tag of each word, and entities across unseen words', () => {
    const words = ['in', 'New', '\u200b', 'York', 'Ann', 'cut'];
    const tagged = taggedWords(words, Int32Array.of(0, 1, 3, 4), logits(0, 1, 2, 3), LABELS);
    expect(tagged.tags).toEqual(['O', 'B-LOC', null, 'I-LOC', 'B-PER', null]);
    // The softmax of log(3) among three zeros, in 32 bits.
    for (const score of tagged.scores) if (score !== null) expect(score).toBeCloseTo(0.5, 6);
    expect(tagged.scores.map((score) => score === null)).toEqual([false, false, true, false, false, true]);
    expect(tagged.entities.map(({ score: _, ...entity }) => entity)).toEqual([
      { type: 'LOC', start: 1, end: 4, text: 'New \u200b York' },
      { type: 'PER', start: 4, end: 5, text: 'Ann' },
    ]);
    expect(tagged.entities[0]!.score).toBeCloseTo(0.5, 6);
  });

  it('takes the first of equal tags, and single words', () => {
    expect(taggedWords(['a'], Int32Array.of(0), new Float32Array(4), LABELS)).toMatchObject({
      tags: ['O'],
      scores: [0.25],
      entities: [],
    });
    expect(taggedWords(['a'], new Int32Array(), new Float32Array(), LABELS)).toMatchObject({
      tags: [null],
      entities: [],
    });
  });
});
