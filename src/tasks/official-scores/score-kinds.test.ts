import { describe, expect, it } from 'vitest';
import type { TextFile } from '../../input/data/text-file.ts';
import { UserError } from '../../support/user-error.ts';
import { SCORE_KINDS } from './score-kinds.ts';
import { type ScoredFiles, valuesById } from './values-by-id.ts';

const file = (name: string, content: string): TextFile => ({
  name,
  size: content.length,
  read: () => content,
});

describe('files too large for memory are rejected by', () => {
  const questions = file('dev.json', '{"data": []}');
  const many = file('many.json', `{"data":[${'{},'.repeat(4e6)}{}]}`);
  const lines = file('lines.txt', 'a\n'.repeat(2_000_001));
  const words = file('words.txt', `a\n${'a '.repeat(2 ** 14 + 1)}`);
  const wide = file('wide.txt', `a\n${' '.repeat(2 ** 20 + 1)}`);
  const wideTags = file('wide.txt', `a O O\n${' '.repeat(2 ** 20 + 1)}`);
  const tags = file('tags.txt', Array.from({ length: 10_001 }, (_, i) => `a B-${i} B-${i}\n`).join(''));
  it.each<[string, ScoredFiles, string]>([
    ['squad', { predictions: file('p.json', '{}'), references: many }, 'many.json is JSON with more than'],
    ['squad', { predictions: many, references: questions }, 'many.json is JSON with more than'],
    ['rouge', { predictions: lines, references: lines }, 'lines.txt has more than 2000000 rows'],
    ['rouge', { predictions: words, references: words }, 'words.txt:2 has a text of more than 16384 words'],
    ['bleu', { predictions: wide, references: wide }, 'wide.txt:2 has a line of more'],
    ['seqeval', { predictions: wideTags }, 'wide.txt:2 has a line of more'],
    ['seqeval', { predictions: tags }, 'tags.txt:10001 has more than 10000 different tags'],
  ])('%s (%#)', async (kind, files, message) => {
    const { score } = await SCORE_KINDS[kind]!();
    const refused = () => score(files, () => {});
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(message);
  });
});

describe('score rouge', () => {
  /** JSON of a text with `words` words per line, 16,384 words in total. */
  const text = (line: (i: number) => string, words: number) =>
    JSON.stringify(Array.from({ length: 2 ** 14 / words }, (_, i) => line(i)).join('\n'));
  const score = async (prediction: string, reference: string) => {
    const lines = (one: string) => file('texts.jsonl', `${one}\n`);
    const kind = await SCORE_KINDS.rouge!();
    return kind.score({ predictions: lines(prediction), references: lines(reference) }, () => {});
  };

  it('reads texts of as many words as are allowed, in lines of their own', async () => {
    const lines = text((i) => `w${i}`, 1);
    expect(await score(lines, lines)).toMatchObject({ rougeL: 1, rougeLsum: 1 });
  });

  it('refuses lines that must all be compared with each other', async () => {
    const [prediction, reference] = [text((i) => `c b a z${i}`, 4), text((i) => `a b c y${i}`, 4)];
    await expect(score(prediction, reference)).rejects.toThrow(
      'text 1 and its references have too many short lines with the same words for rougeLsum',
    );
  });
});

it('rows are found by ids that a double cannot represent', async () => {
  const ids = ['1234567890123456789', '1234567890123456788', '1234567890123456787'];
  const lines = (labels: number[]) =>
    labels.map((label, i) => `{"id": ${ids[i]}, "label": ${label}}`).join('\n');
  const { score } = await SCORE_KINDS['glue/sst2']!();
  const found = score(
    {
      predictions: file('p.tsv', `index\tprediction\n${ids.map((id, i) => `${id}\t${i % 2}`).join('\n')}`),
      references: file('r.jsonl', lines([0, 1, 0])),
    },
    () => {},
  );
  expect(found).toMatchObject({ accuracy: 1, rows: 3 });
});

describe('score seqeval', () => {
  const score = async (content: string) =>
    (await SCORE_KINDS.seqeval!()).score({ predictions: file('tags.txt', content) }, () => {});
  const rows = 'EU B-ORG B-ORG\n# O O\n\nPeter B-PER O\n';

  it('skips comments, not the word #', async () => {
    const comments = '# id = 1\n#\n# three more words\n# a comment\n';
    expect(await score(comments + rows)).toEqual(await score(rows));
    expect(await score(rows)).toMatchObject({ accuracy: 2 / 3, support: 2 });
  });

  it.each([
    [
      'EU B-ORG B-ORG\nJohn B-PER\n',
      'tags.txt:2 needs a word and two tags in 3 columns, as in line 1, got "John B-PER"',
    ],
    ['EU B-ORG B-ORG\nJohn Lee B-PER O\n', 'tags.txt:2 needs a word and two tags in 3 columns, as in line 1'],
    [
      'John B-PER\nLee I-PER\n',
      'tags.txt:1 needs a word and two tags in 3 columns, got "John B-PER". The same in 2 rows: lines 1, 2.',
    ],
    ['EU\tB-ORG\t\n', 'tags.txt:1 needs a word and two tags in 3 columns, as in line 1, got "EU\tB-ORG\t"'],
  ])('rejects ragged lines: %j', async (content, message) => {
    await expect(score(content)).rejects.toThrow(message);
  });
});

it.each(['rouge', 'bleu'])('%s rejects several texts instead of one', async (kind) => {
  const { score } = await SCORE_KINDS[kind]!();
  const predictions = file('p.jsonl', '{"text": ["x", "y"]}\n');
  const references = file('r.jsonl', '{"text": ["x", "y"]}\n');
  expect(() => score({ predictions, references }, () => {})).toThrow(
    'p.jsonl:1 needs a JSON string or {"text": …}, got {"text": ["x", "y"]}.',
  );
  const one = file('p.jsonl', '{"text": "x"}\n');
  expect(() => score({ predictions: one, references }, () => {})).not.toThrow();
});

it('values of any length are read, in the order of the file', () => {
  const text = '\\"a\\\\'.repeat(3e6);
  const values = valuesById(file('p.json', `{"b": "${text}", "10": "", "a\\"": "x", "b": "y"}`), 'string');
  expect([...values]).toEqual([
    ['b', 'y'],
    ['10', ''],
    ['a"', 'x'],
  ]);
});

it("accepts Python's words for numbers that JSON lacks, where numbers are expected", () => {
  const numbers = (content: string) => valuesById(file('odds.json', content), 'number');
  const odds = numbers('{"NaN": NaN, "b": -Infinity,"c" : Infinity, "d": 1.5, "b": 2, "d": NaN}');
  expect([...odds.entries()]).toEqual([
    ['NaN', Number.NaN],
    ['b', 2],
    ['c', Number.POSITIVE_INFINITY],
    ['d', Number.NaN],
  ]);
  for (const content of ['{"a": NaNs}', '{"a": nan}', '{"a', '{"a\\x": NaN}', '{"a": [NaN]}'])
    expect(() => numbers(content)).toThrow(UserError);
  expect(() => valuesById(file('p.json', '{"a": NaN}'), 'string')).toThrow(UserError);
});
