import { describe, expect, it } from 'vitest';
import { findLine, type WordColumns } from './conll-sentences.ts';
import { readSentences } from './read-sentences.ts';

/** Reads sentences and formats them as `line word/tag word/tag`. */
function read(content: string, fileName = 'x.conll', columns: WordColumns = {}, labeled = true): string[] {
  return readSentences(content, fileName, columns, labeled).map(({ line, words, tags }) =>
    [line, ...words.map((word, i) => (tags[i] === undefined ? word : `${word}/${tags[i]}`))].join(' '),
  );
}

const lines = (...objects: object[]) => objects.map((object) => JSON.stringify(object)).join('\n');

describe('CoNLL columns', () => {
  it.each<[string, string, WordColumns, string[]]>([
    ['tabs', 'EU\tB-ORG\nacts\tO\n\n.\tO\n', {}, ['1 EU/B-ORG acts/O', '4 ./O']],
    ['spaces', 'EU  B-ORG \n acts \t O', {}, ['1 EU/B-ORG acts/O']],
    ['the last column of four', 'EU NNP I-NP B-ORG\n. . O O', {}, ['1 EU/B-ORG ./O']],
    ['columns by number', '1\tEU\tB-ORG\tO\n2\t.\tO\tO', { words: 1, tags: 2 }, ['1 EU/B-ORG ./O']],
    ['rows wider than what is named', 'EU B-ORG\nacts O x y', { words: 0, tags: 1 }, ['1 EU/B-ORG acts/O']],
    ['CRLF', 'EU O\r\n\r\n. O\r\n', {}, ['1 EU/O', '3 ./O']],
    ['white space between sentences', 'EU O\n \t\n\n. O\n\n\n', {}, ['1 EU/O', '4 ./O']],
    ['documents', '-DOCSTART- -X- -X- O\n\na N I O\n-DOCSTART- -X- O O\nb N I O\n', {}, ['3 a/O', '5 b/O']],
    ['white space in words', 'New York\tB-LOC\n10\u00a0000\tO', {}, ['1 New York/B-LOC 10\u00a0000/O']],
    [
      'other white space between spaces',
      'a\u00a0b O\n\u200b O\n\u2028 O',
      {},
      ['1 a\u00a0b/O \u200b/O \u2028/O'],
    ],
    ['comments', '# id = 1\n# text = a b\na O\n# EU O x\nb O', {}, ['3 a/O b/O']],
    ['comments with tabs', '#\thttp://x.y\n1\ta\tO\tO\n#\t2\n2\tb\tO\tO', { words: 1 }, ['2 a/O b/O']],
    ['hashes that are words', '# O\n#tag O\n# B-X', {}, ['1 #/O #tag/O #/B-X']],
    [
      'CoNLL-U',
      `# text = vámonos al mar\n${[
        ['1-2', 'vámonos', '_', '_'],
        ['1', 'vamos', 'ir', 'VERB'],
        ['2', 'nos', 'nosotros', 'PRON'],
        ['2.1', 'x', 'x', 'X'],
        ['3', '10 000', '_', 'NUM'],
      ]
        .map((fields) => [...fields, '_', '_', '0', 'root', '_', 'A=b c'].join('\t'))
        .join('\n')}\n\n`,
      { words: 1, tags: 3 },
      ['3 vamos/VERB nos/PRON 10 000/NUM'],
    ],
    ['names of Object', 'constructor O\n__proto__ O', {}, ['1 constructor/O __proto__/O']],
    ['tags that are named', 'a O\nb B-X', { label_names: ['B-X', 'O', 'I-X'] }, ['1 a/O b/B-X']],
  ])('reads %s', (_, content, columns, sentences) => {
    expect(read(content, 'x.conll', columns)).toEqual(sentences);
  });

  it('reads words alone', () => {
    expect(read('EU\nacts\n\n.', 'x.txt', {}, false)).toEqual(['1 EU acts', '4 .']);
    expect(read('EU B-ORG\nacts O', '-', {}, false)).toEqual(['1 EU acts']);
    expect(read('1 EU O\n2 acts', '-', { words: 1 }, false)).toEqual(['1 EU acts']);
  });

  it('knows the line of each word', () => {
    const [, sentence] = readSentences('a O\n\n\nb O\n# comment here\nc O', 'x.conll', {}, true);
    expect(sentence!.words.map((_, word) => findLine(sentence!, word))).toEqual([4, 6]);
  });

  it.each<[string, string, WordColumns, string]>([
    ['an empty file', '\n \n-DOCSTART- O\n', {}, 'x.conll is empty.'],
    [
      'one column',
      '\nEU\nacts',
      {},
      'x.conll:2 has one column instead of a word and its tag. Write one word per line',
    ],
    [
      'ragged lines, seven of them',
      `a O\nNew York B-LOC\n${'x\n'.repeat(6)}`,
      {},
      'x.conll:2 has 3 columns instead of 2, as in line 1. Spaces separate columns here. ' +
        'If words contain spaces, separate columns by tabs. The same in 7 rows: lines 2, 3, 4, 5, 6 and 2 more.',
    ],
    ['ragged lines of tabs', 'a\tO\nb c\n', {}, 'x.conll:2 has 1 column instead of 2, as in line 1.'],
    [
      'lines too short for what is named',
      'a x O\nb\n',
      { words: 0, tags: 2 },
      'x.conll:2 has 1 column instead of at least 3.',
    ],
    [
      'empty fields',
      'a\tO\nb\t \n\tO\n',
      {},
      'x.conll:2 has no tag in column 1.\n' + 'x.conll:3 has no word in column 0.',
    ],
    ['a number too high', 'a O', { tags: 2 }, 'x.conll has columns 0 to 1, not 2.'],
    ['a name', 'a O', { words: 'tokens' }, 'x.conll has numbered columns, so "tokens" cannot name one.'],
    [
      'tags that are not named',
      'a O\nb B-PRE\n\nc B-PRE\n',
      { label_names: ['O', 'B-PER'] },
      'x.conll:2 has the tag "B-PRE", which is not in data.label_names. Did you mean B-PER? The same in 2 rows: lines 2, 4.',
    ],
  ])('rejects %s', (_, content, columns, message) => {
    expect(() => read(content, 'x.conll', columns)).toThrow(message);
  });
});

describe('JSON Lines', () => {
  const IDS = { label_names: ['O', 'B-PER'] };

  it.each<[string, object, WordColumns]>([
    ['tokens and ner_tags', { id: 1, tokens: ['a', 'b'], pos_tags: [1, 2], ner_tags: ['O', 'B-PER'] }, {}],
    ['words and tags', { words: ['a', 'b'], tags: ['O', 'B-PER'] }, {}],
    ['words and labels', { words: ['a', 'b'], labels: ['O', 'B-PER'] }, {}],
    ['keys by name', { tokens: [], w: ['a', 'b'], t: ['O', 'B-PER'] }, { words: 'w', tags: 't' }],
    ['numbers', { tokens: ['a', 'b'], ner_tags: [0, 1] }, IDS],
    ['names where numbers might be', { tokens: ['a', 'b'], ner_tags: ['O', 'B-PER'] }, IDS],
  ])('has %s', (_, object, columns) => {
    expect(read(`\n${JSON.stringify(object)}\r\n`, 'x.jsonl', columns)).toEqual(['2 a/O b/B-PER']);
  });

  it('is detected by extension or by its first character, and may have empty sentences', () => {
    const content = lines({ tokens: [], tags: [] }, { tokens: [''], tags: ['O'] });
    for (const name of ['x.json', 'x.ndjson', '-', 'x.txt'])
      expect(read(content, name)).toEqual(['1', '2 /O']);
    expect(read('{ O\n} O', '-')).toEqual(['1 {/O }/O']);
  });

  it('has words alone', () => {
    expect(read(lines({ tokens: ['a'], ner_tags: [7] }, { tokens: ['b'] }), 'x.jsonl', {}, false)).toEqual([
      '1 a',
      '2 b',
    ]);
  });

  it.each<[string, string, WordColumns, string]>([
    ['a table', 'a,O', {}, 'x.csv is a table (.csv). Pass CoNLL columns'],
    ['no rows', '\n', {}, 'x.jsonl is empty.'],
    ['no words at all', lines({ tokens: [], tags: [] }), {}, 'x.jsonl is empty.'],
    [
      'no JSON',
      '{"tokens": ["a"]',
      {},
      "x.jsonl:1 is not valid JSON: Expected ',' or '}' after property value in JSON at position 16.",
    ],
    [
      'keys it does not know',
      lines({ text: 'a', ner: [] }),
      {},
      'x.jsonl:1 has the keys text, ner, but needs tokens or words. Say in data.words what it is called.',
    ],
    [
      'no tags',
      lines({ tokens: ['a'] }),
      {},
      'x.jsonl:1 has the keys tokens, but needs ner_tags or tags or labels. Say in data.tags',
    ],
    [
      'a misspelt key',
      lines({ tokens: ['a'], ner_tags: ['O'] }),
      { tags: 'ner_tag' },
      'x.jsonl:1 has no column "ner_tag". Did you mean ner_tags?',
    ],
    ['a number', lines({ tokens: ['a'] }), { words: 0 }, 'x.jsonl:1 has no column 0'],
    [
      'lists of unlike length',
      lines({ tokens: ['a'], tags: ['O'] }, { tokens: ['a', 'b'], tags: ['O'] }, { tokens: [], tags: ['O'] }),
      {},
      'x.jsonl:2 has 2 words but 1 tags. The same in 2 rows: lines 2, 3.',
    ],
    [
      'other values',
      lines(
        { tokens: ['a'], tags: ['O'] },
        { tokens: 'a b', tags: 'O O' },
        { tokens: ['a', null], tags: ['O', true] },
        { tokens: [3], tags: [''] },
      ),
      {},
      [
        'x.jsonl:2 needs a list of words in "tokens", got a string.',
        'x.jsonl:2 needs a list of tags in "tags", got a string.',
        'x.jsonl:3 needs strings in "tokens", got null. The same in 2 rows: lines 3, 4.',
        'x.jsonl:3 needs a tag for each word in "tags", got a boolean. The same in 2 rows: lines 3, 4.',
      ].join('\n'),
    ],
    [
      'numbers without names',
      lines({ tokens: ['a'], ner_tags: [0] }),
      {},
      'x.jsonl:1 needs strings in "ner_tags", got numbers. Name them in data.label_names, in the order of',
    ],
    [
      'numbers that have no name',
      lines(
        { tokens: ['a'], ner_tags: [2] },
        { tokens: ['a'], ner_tags: [-1] },
        { tokens: ['a'], ner_tags: [0.5] },
      ),
      IDS,
      'x.jsonl:1 needs numbers from 0 to 1 in "ner_tags", got 2. The same in 3 rows: lines 1, 2, 3.',
    ],
  ])('must not have %s', (what, content, columns, message) => {
    const fileName = what === 'a table' ? 'x.csv' : 'x.jsonl';
    expect(() => read(content, fileName, columns)).toThrow(message);
  });
});
