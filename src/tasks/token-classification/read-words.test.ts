import { describe, expect, it } from 'vitest';
import { sentencesToTag, textWords } from './read-words.ts';

const words = (content: string, name?: string, reading: object = {}) =>
  sentencesToTag(content, name, reading).map((sentence) => sentence.words.join(' '));

const TEXT = 'Ann Lee lives in Bonn.\r\n\nBob works.\n';
const SENTENCES = ['Ann Lee lives in Bonn .', '', 'Bob works .'];

describe('sentences to tag are', () => {
  it.each(['x.txt', 'x', 'x.txt.gz', undefined])('lines of plain text, blank ones too (%s)', (name) => {
    expect(words(TEXT, name)).toEqual(SENTENCES);
    expect(words(TEXT, name, { words: 1 })).toEqual(SENTENCES);
    expect(words(TEXT, name, { words: 'tokens' })).toEqual(SENTENCES);
    expect(words('Ann lives in Bonn\nBob works in Rome\n', name)).toHaveLength(2);
    expect(() => words('\n \n', name)).toThrow('has no sentences');
  });

  it.each([
    [
      'tags',
      'x.txt',
      '-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n',
    ],
    ['a ragged line', 'x.txt', '# a comment of more words\nEU NNP B-ORG\nrejects O\n\nPeter NNP B-PER\n'],
    ['tabs', undefined, 'EU\tNNP\nrejects\tVBZ\n\nPeter\tNNP\n'],
    ['a word a line', 'x.txt', 'EU\nrejects\n\nPeter\n'],
    ['an extension', 'x.conll', 'EU a b\nrejects c d e\n\nPeter f g h\n'],
  ])('the words of columns with %s', (_, name, content) => {
    expect(words(content, name)).toEqual(['EU rejects', 'Peter']);
  });

  it('ambiguous if lines may be columns as well', () => {
    const content = 'EU NNP\nrejects VBZ\n\nPeter NNP\n';
    expect(() => words(content, 'x.txt')).toThrow(
      'x.txt may contain sentences or columns: all its lines have 2 words',
    );
    expect(words(content, 'x.txt', { words: 0 })).toEqual(['EU rejects', 'Peter']);
    expect(words(content)).toEqual(['EU NNP', 'rejects VBZ', '', 'Peter NNP']);
  });
});

it.each([
  ['Ann Lee lives in Bonn.', 'Ann Lee lives in Bonn .'],
  ['  "Stop!", she\tsaid...\n', '" Stop ! " , she said ...'],
  ['(J. Lee) of the U.S. (U.N.), i.e. him.', '( J. Lee ) of the U.S. ( U.N. ) , i.e. him .'],
  ["don't well-known 3.14% $5 O'Neill's", "don't well-known 3.14 % $5 O'Neill's"],
  ['@ann #bonn # -- ??!', '@ann #bonn # -- ?? !'],
  ['Ann在北京工作。', 'Ann 在 北 京 工 作 。'],
  ['naïve café, Ωμέγα 😀.', 'naïve café , Ωμέγα 😀 .'],
  [' \n', ''],
])('words of %j', (text, words) => {
  const found = textWords(text);
  expect(found.map((word) => word.text).join(' ')).toBe(words);
  for (const word of found) expect(text.slice(word.start, word.end)).toBe(word.text);
});

it('splitting handles long runs in linear time', () => {
  const [dots, signs] = ['.'.repeat(100_000), '!?'.repeat(100_000)];
  expect(textWords(`${dots}x${dots}y${signs}`).length).toBe(2 + 200_000);
});
