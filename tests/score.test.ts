import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from './support/workspace.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
  const qas = (...rows: [string, string[]][]) => ({
    data: [
      {
        title: 'x',
        paragraphs: [
          {
            context: 'The cat sat on 3 mats.',
            qas: rows.map(([id, texts]) => ({
              id,
              question: 'What?',
              answers: texts.map((text) => ({ text, answer_start: 4 })),
            })),
          },
        ],
      },
    ],
  });
  const write = (name: string, value: unknown) => workspace.write(name, JSON.stringify(value));
  write('v1.json', qas(['1', ['cat', 'the cat sat']], ['b', ['mats']]));
  write('v2.json', qas(['10', ['cat']], ['b', []], ['9', ['sat']]));
  write('some.json', { 1: 'A cat!' });
  workspace.write('all.json', '{"10": "the cat", "b": "x", "9": ""}');
  // Of equal odds the one that the file has first goes first: JavaScript would take 9 before 10.
  workspace.write('odds.json', '{"b": 0.5, "10": 0.5, "9": 0.5}');
  write('numbers.json', { 10: 1, b: 'x', 9: '' });
});
afterAll(() => workspace.remove());

const score = (...args: string[]) => workspace.run('score', ...args);
const squad = (predictions: string, references: string, ...others: string[]) =>
  score('squad', '--predictions', predictions, '--references', references, ...others);

describe('score squad', () => {
  it('gives the scores of v1.1', async () => {
    const { code, stdout, stderr } = await squad('some.json', 'v1.json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ exact_match: 0.5, f1: 0.5 });
    expect(stderr).toBe('1 questions have no prediction and count 0.\n');
  });

  it('gives those of v2.0, with the best thresholds for odds', async () => {
    const { stdout } = await squad('all.json', 'v2.json');
    const scores = {
      HasAns_exact: 0.5,
      HasAns_f1: 0.5,
      HasAns_total: 2,
      NoAns_exact: 0,
      NoAns_f1: 0,
      NoAns_total: 1,
    };
    expect(JSON.parse(stdout)).toEqual({ exact: 1 / 3, f1: 1 / 3, total: 3, ...scores });
    const best = { best_exact: 1 / 3, best_exact_thresh: 0, best_f1: 1 / 3, best_f1_thresh: 0 };
    const withOdds = await squad('all.json', 'v2.json', '--null-odds', 'odds.json');
    expect(JSON.parse(withOdds.stdout)).toMatchObject(best);
  });

  it.each([
    [
      () => squad('some.json', 'v2.json'),
      'some.json: expected every question of the references, got none for 10 and 2 others.',
    ],
    [
      () => squad('numbers.json', 'v1.json'),
      'numbers.json, 10: expected a string, got a value of type number.',
    ],
    [() => squad('v1.json', 'v1.json'), 'v1.json, data: expected a string, got a list.'],
    [() => squad('all.json', 'all.json'), 'all.json, data: expected a list, got nothing.'],
    [
      () => score('squad', '--predictions', 'all.json'),
      'adalora score squad: expected --references FILE, got none.',
    ],
    [() => score('squat', '--predictions', 'all.json'), "'squat' is invalid"],
  ])('says what is wrong (%#)', async (start, message) => {
    const { code, stdout, stderr } = await start();
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('score rouge and bleu', () => {
  beforeAll(() => {
    workspace.write('texts.txt', 'the cat sat\r\n\na dog\n');
    workspace.write('right.txt', 'the cats sat\nx\na dog\n');
    workspace.write('several.jsonl', '["the cats sat", "it"]\n"x"\n{"text": "a dog"}\n');
    workspace.write('short.txt', 'a\nb\n');
    workspace.write('bad.jsonl', '"a"\n3\n[]\n');
    workspace.write('nothing.txt', '');
  });
  const texts = (kind: string, predictions: string, references: string) =>
    score(kind, '--predictions', predictions, '--references', references);

  it('gives means, or the score of all texts', async () => {
    const rouge = await texts('rouge', 'texts.txt', 'right.txt');
    // "sat" and, stemmed, no "cats", which has four letters: cat.
    expect(JSON.parse(rouge.stdout)).toEqual({
      ...{ rouge1: 2 / 3, rouge2: 2 / 3, rougeL: 2 / 3, rougeLsum: 2 / 3 },
    });
    expect(await texts('rouge', 'texts.txt', 'several.jsonl')).toEqual(rouge);
    const bleu = await texts('bleu', 'right.txt', 'several.jsonl');
    // There is no word four.
    expect(JSON.parse(bleu.stdout)).toEqual({ bleu: 0 });
  });

  it.each([
    [() => texts('rouge', 'texts.txt', 'short.txt'), 'short.txt: expected 3 texts, as texts.txt has, got 2.'],
    [
      () => texts('bleu', 'bad.jsonl', 'right.txt'),
      'bad.jsonl:2: expected a text as JSON, {"text": …}, got 3. 2 rows are so: lines 2, 3.',
    ],
    [() => texts('bleu', 'nothing.txt', 'right.txt'), 'nothing.txt: expected texts, got an empty file.'],
    [
      () => texts('bleu', 'several.jsonl', 'right.txt'),
      'several.jsonl:1: expected a text as JSON, {"text": …}, got',
    ],
  ])('says what is wrong (%#)', async (start, message) => {
    const { code, stdout, stderr } = await start();
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });
});
