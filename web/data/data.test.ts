import { describe, expect, it } from 'vitest';
import { guessWish } from './guess-wish.ts';
import { readFileTable } from './read-table.ts';
import { splitPairs } from './split-pairs.ts';
import { splitRows } from './split-rows.ts';

const file = (name: string, content: string) => new File([content], name);
/** Rows with numbered texts. The labels alternate. */
const numbered = (count: number, ...labels: string[]) =>
  Array.from({ length: count }, (_, i) => [`text number ${i}`, labels[i % labels.length]!]);
const table = (rows: string[][]) => ({ fileName: 'x.csv', columns: ['text', 'label'], rows, ragged: 0 });

describe('a table', () => {
  it.each([
    ['a.csv', 'text,label\n"so, so",bad\nwell,good\n', ['so, so', 'well']],
    ['spreadsheet.csv', 'text;label\n"so; so";bad\nwell;good\n', ['so; so', 'well']],
    ['a.tsv', 'text\tlabel\r\nso "so"\tbad\r\nwell\tgood\r\n', ['so "so"', 'well']],
    ['a.jsonl', '{"text": "so", "label": true}\n{"label": 2, "text": "well", "more": 1}\n', ['so', 'well']],
    ['a.json', '[{"text": "so", "label": "a"}, {"text": "well", "label": "b"}]', ['so', 'well']],
  ])('%s', async (name, content, texts) => {
    const { columns, rows } = await readFileTable(file(name, content));
    expect(columns.slice(0, 2)).toEqual(['text', 'label']);
    expect(rows.map(([text]) => text)).toEqual(texts);
  });

  it.each([
    ['text,label\na,x\nb,y\na,x', true],
    ['so it is,good\nnot so,bad\nwell,good', false],
    ['1,so it is\n0,not so', false],
  ])('of %j has a header: %s, or as the user says', async (content, hasHeader) => {
    const read = await readFileTable(file('a.csv', content));
    expect(read.hasHeader).toBe(hasHeader);
    const other = await readFileTable(file('a.csv', content), !hasHeader);
    expect(other.rows.length - read.rows.length).toBe(hasHeader ? 1 : -1);
  });

  it('is decompressed, up to a size', async () => {
    const packed = async (content: string) => {
      const stream = new Blob([content]).stream().pipeThrough(new CompressionStream('gzip'));
      return new Uint8Array(await new Response(stream).arrayBuffer());
    };
    const read = (bytes: Uint8Array<ArrayBuffer>) => readFileTable(new File([bytes], 'a.csv.gz'));
    const small = await packed('text,label\nso,bad\nwell,good\n');
    const { columns, rows } = await read(small);
    expect([columns, rows.length]).toEqual([['text', 'label'], 2]);
    await expect(read(await packed('a,b\n'.repeat(13e6)))).rejects.toThrow(
      'a.csv.gz is larger than 50 MB (unpacked), the limit in a page.',
    );
    await expect(read(small.fill(255, 12))).rejects.toThrow('a.csv.gz is not a valid gzip file: ');
  });

  it('counts ragged rows, and names every column', async () => {
    const read = await readFileTable(file('a.csv', 'text,,text\na,b,c\na,b\na,b,c,d\n'), true);
    expect(read.columns).toEqual(['text', 'column 2', 'text (column 3)']);
    expect(read).toMatchObject({ rows: [['a', 'b', 'c']], ragged: 2 });
  });
});

it('a column that divides the rows leaves those for training', async () => {
  const lines = Array.from(
    { length: 20 },
    (_, i) => `text ${i},${i % 2 ? 'a' : 'b'},${i % 4 ? 'train' : 'test'}`,
  );
  const { rows, notice } = await readFileTable(file('a.csv', ['text,label,split', ...lines].join('\n')));
  expect(rows.length).toBe(15);
  expect(notice).toBe(
    'Column "split" divides the rows: train 15, test 5. The page trains on the first part.',
  );
});

it('columns of 0 and 1 are one column of labels', async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `text number ${i},${i % 2},${1 - (i % 2)}`);
  const one = await readFileTable(file('a.csv', ['text,spam,ham', ...lines].join('\n')));
  expect(one.columns).toEqual(['text', 'spam, ham']);
  expect(guessWish(one).wish).toEqual({ goal: 'labels', at: [0, 1] });
  expect(splitRows(one, [0, 1]).labels).toEqual([
    ['ham', 10],
    ['spam', 10],
  ]);
  const several = await readFileTable(file('a.csv', ['text,spam,rude', ...lines, 'both,1,1'].join('\n')));
  expect(guessWish(several).notice).toContain('use the command line');
});

describe('rows are split', () => {
  it('label by label, no text on both sides', () => {
    const rows = [...numbered(1200, 'a', 'a', 'a', 'b'), ...numbered(30, 'a'), ['', 'a'], ['lone', '']];
    const split = splitRows(table(rows), [0, 1]);
    expect(split.labels).toEqual([
      ['a', 900],
      ['b', 300],
    ]);
    expect(split.leftOut).toEqual({ empty: 2, repeated: 30 });
    expect(
      split.heldOut
        .map(([, label]) => label)
        .sort()
        .join(''),
    ).toBe('a'.repeat(90) + 'b'.repeat(30));
    const texts = [...split.train, ...split.heldOut].map(([text]) => text);
    expect(new Set(texts).size).toBe(1200);
  });

  it('but none of few rows, which are cross-validated', () => {
    const split = splitRows(table(numbered(100, 'a', 'b')), [0, 1]);
    expect([split.train.length, split.heldOut.length]).toEqual([100, 0]);
  });

  it('with at most as many held-out rows as a score needs, and every label in training', () => {
    const split = splitRows(table([...numbered(20_000, 'a', 'b'), ['rare', 'c']]), [0, 1]);
    expect(split.heldOut.length).toBeLessThanOrEqual(500);
    expect(split.heldOut.length).toBeGreaterThan(490);
    expect(new Set(split.train.map(([, label]) => label))).toEqual(new Set(['a', 'b', 'c']));
  });

  it.each([
    [numbered(20, 'a'), 1, 'x.csv, column label needs at least two different labels, got only "a".'],
    [numbered(20, ''), 1, 'x.csv, column label needs at least two different labels, got none.'],
    [numbered(20, 'a', 'b'), 0, 'x.csv uses column text for both texts and labels.'],
    [numbered(8, ...'abcdefgh'), 1, 'has 8 different labels in 8 rows.'],
    [numbered(4, 'a', 'b'), 1, 'has 2 rows of "a"; each label needs 5, so that one can be held out.'],
    [
      [...numbered(2, 'a', 'b'), ...numbered(2, 'a', 'b'), ...numbered(2, 'a', 'b')],
      1,
      'x.csv has 2 different texts in 6 rows; a label needs 5, so that one can be held out. Add rows with other texts. The command line trains without held-out rows: npx adalora train x.csv',
    ],
    [[...numbered(6, 'a', 'b'), ...numbered(6, 'a', 'b')], 1, 'has 6 different texts in 12 rows; a label'],
  ])('but not %j', (rows, label, message) => {
    expect(() => splitRows(table(rows), [0, label])).toThrow(message);
  });
});

describe('questions and answers', () => {
  const pairs = numbered(40, ...'abcdefgh').map(([question, letter]) => [question!, `answer ${letter}`]);

  it('are split: no question and no answer on both sides, and the different answers are counted', () => {
    const many = numbered(1200, ...'abcdefghijklmnopqrst').map(([question, letter]) => [
      question!,
      `answer ${letter}`,
    ]);
    const rows = [...many, ...many.slice(0, 3), ['', 'answer a'], ['lone', '']];
    const split = splitPairs(table(rows), [0, 1]);
    expect(split).toMatchObject({ answers: 20, leftOut: { empty: 2, repeated: 3 } });
    expect([split.train.length, split.heldOut.length]).toEqual([1080, 120]);
    for (const side of [0, 1] as const) {
      const trained = new Set(split.train.map((row) => row[side]));
      expect(split.heldOut.filter((row) => trained.has(row[side]))).toEqual([]);
    }
    expect(new Set([...split.train, ...split.heldOut].map(([question]) => question)).size).toBe(1200);
  });

  it('are all trained on if they are few, because the run cross-validates them', () => {
    expect(splitPairs(table(pairs), [0, 1])).toMatchObject({ train: pairs, heldOut: [] });
  });

  it.each([
    [pairs.slice(0, 4), [0, 1], 'x.csv has 4 different questions with an answer; it needs at least 5.'],
    [numbered(9, 'the same'), [0, 1], 'x.csv, column label has the same answer for every question.'],
    [
      [...numbered(8, 'one answer'), ['one answer', 'another']],
      [0, 1],
      'x.csv has too few pairs without a common text to score a search.',
    ],
    [numbered(9, '1', '2'), [0, 1], 'x.csv, column label has fields without letters instead of texts.'],
    [pairs, [1, 1], 'x.csv uses column label for both questions and answers.'],
  ] as const)('but not %#', (rows, at, message) => {
    expect(() => splitPairs(table(rows as string[][]), at)).toThrow(message);
  });

  it.each([
    [['question', 'answer'], 'search', [0, 1]],
    [['answer', 'id', 'query'], 'search', [2, 0]],
    [['text', 'label'], 'labels', [0, 1]],
  ] as const)('are recognized: the columns %j are for %s', (columns, goal, at) => {
    const cell = (name: string, i: number) =>
      name === 'label' ? 'ab'[i % 2]! : name === 'id' ? `${i}` : `${name} with words, number ${i}`;
    const rows = Array.from({ length: 12 }, (_, i) => columns.map((name) => cell(name, i)));
    const read = { fileName: 'x', columns: [...columns], rows, ragged: 0, hasHeader: true };
    expect(guessWish(read)).toEqual({ wish: { goal, at } });
  });
});

it('a file for another task than those of the page is pointed to the command line', () => {
  const rows = Array.from({ length: 40 }, (_, i) => [`some words ${i}`, `${i / 7}`]);
  const read = { fileName: 'x.csv', columns: ['text', 'score'], rows, ragged: 0, hasHeader: true };
  expect(guessWish(read).notice).toBe(
    'It seems to be for a model to predict the number "score" of "text". For that, use the command line: npx adalora train x.csv --task regression --text text --label score',
  );
});
