import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from './support/workspace.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
  const qas = (...rows: [string, string[]][]) => ({
    version: '1.1',
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
  write('all-answered.json', { ...qas(['1', ['The', 'cat']], ['b', ['the']]), version: 'v2.0' });
  write('empty.json', { 1: '', b: '' });
  write('some.json', { 1: 'A cat!' });
  workspace.write('all.json', '{"10": "the cat", "b": "x", "9": ""}');
  // With equal odds, the first in the file counts first: JavaScript would take 9 before 10.
  workspace.write('odds.json', '{"b": 0.5, "10": 0.5, "9": 0.5}');
  write('numbers.json', { 10: 1, b: 'x', 9: '' });
});
afterAll(() => workspace.remove());

const score = (...args: string[]) => workspace.run('eval', ...args);
const squad = (predictions: string, references: string, ...others: string[]) =>
  score('squad', '--predictions', predictions, references, ...others);

describe('eval --predictions of squad', () => {
  it('gives the scores of v1.1', async () => {
    const { code, stdout, stderr } = await squad('some.json', 'v1.json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ exact_match: 0.5, f1: 0.5 });
    expect(stderr).toBe('1 questions have no prediction and score 0.\n');
  });

  it('gives the scores of v2.0, with the best thresholds for odds', async () => {
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

  it('gives the scores of v2.0 for a file that declares it, even if all questions have answers', async () => {
    const { stdout } = await squad('empty.json', 'all-answered.json');
    // Reference answers without words are dropped, and if none is left, an empty prediction is right.
    const scores = { exact: 0.5, f1: 0.5, total: 2 };
    const answered = { HasAns_exact: 0.5, HasAns_f1: 0.5, HasAns_total: 2 };
    expect(JSON.parse(stdout)).toEqual({ ...scores, ...answered });
  });

  it.each([
    [() => squad('some.json', 'v2.json'), 'some.json has no prediction for 10 and 2 others.'],
    [() => squad('numbers.json', 'v1.json'), 'numbers.json: `10` must be a string, got a number.'],
    [() => squad('v1.json', 'v1.json'), 'v1.json: `data` must be a string, got a list.'],
    [() => squad('all.json', 'all.json'), 'all.json, data must be a list, got nothing.'],
    [
      () => score('squad', '--predictions', 'all.json'),
      'eval squad --predictions needs a file of reference answers',
    ],
    [() => score('squat', '--predictions', 'all.json'), 'has no official scores for squat'],
  ])('reports errors (%#)', async (start, message) => {
    const { code, stdout, stderr } = await start();
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('eval --predictions of rouge and bleu', () => {
  beforeAll(() => {
    workspace.write('texts.txt', 'the cat sat\r\n\na dog\n');
    workspace.write('right.txt', 'the cats sat\nx\na dog\n');
    workspace.write('several.jsonl', '["the cats sat", "it"]\n"x"\n{"text": "a dog"}\n');
    workspace.write('short.txt', 'a\nb\n');
    workspace.write('bad.jsonl', '"a"\n3\n[]\n');
    workspace.write('nothing.txt', '');
  });
  const texts = (kind: string, predictions: string, references: string) =>
    score(kind, '--predictions', predictions, references);

  it('gives means, or the score of all texts', async () => {
    const rouge = await texts('rouge', 'texts.txt', 'right.txt');
    // "sat" and the stem of "cats", which has four letters: cat.
    expect(JSON.parse(rouge.stdout)).toEqual({
      rouge1: 2 / 3,
      rouge2: 2 / 3,
      rougeL: 2 / 3,
      rougeLsum: 2 / 3,
    });
    expect(await texts('rouge', 'texts.txt', 'several.jsonl')).toEqual(rouge);
    const bleu = await texts('bleu', 'right.txt', 'several.jsonl');
    // There is no fourth word.
    expect(JSON.parse(bleu.stdout)).toEqual({ bleu: 0 });
  });

  it.each([
    [() => texts('rouge', 'texts.txt', 'short.txt'), 'short.txt has 2 texts, but texts.txt has 3.'],
    [
      () => texts('bleu', 'bad.jsonl', 'right.txt'),
      'bad.jsonl:2 needs a JSON string or {"text": …}, got 3. The same in 2 rows: lines 2, 3.',
    ],
    [() => texts('bleu', 'nothing.txt', 'right.txt'), 'nothing.txt is empty.'],
    [
      () => texts('bleu', 'several.jsonl', 'right.txt'),
      'several.jsonl:1 needs a JSON string or {"text": …}, got',
    ],
  ])('reports errors (%#)', async (start, message) => {
    const { code, stdout, stderr } = await start();
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('eval --predictions of glue and seqeval', () => {
  const parsed = async (...args: string[]) => JSON.parse((await score(...args)).stdout);

  it('gives the scores of each task, matched by id or by position', async () => {
    workspace.write('cola.tsv', 'x\t1\t\ta\nx\t0\t*\tb\nx\t1\t\tc\nx\t1\t\td\n');
    workspace.write('cola-out.tsv', 'index\tprediction\n3\t1\n2\t0\n1\t0\n0\t1\n');
    const cola = await parsed('glue/cola', '--predictions', 'cola-out.tsv', 'cola.tsv');
    expect(cola.matthews_correlation).toBeCloseTo(1 / Math.sqrt(3), 12);
    workspace.write('mrpc.tsv', '\ufeffQuality\t#1 ID\n1\ta\n0\tb\n1\tc\n1\td\n');
    const mrpc = await parsed('glue/mrpc', '--predictions', 'cola-out.tsv', 'mrpc.tsv');
    expect(mrpc).toEqual({ accuracy: 0.75, f1: 0.8, combined_score: (0.75 + 0.8) / 2, rows: 4 });
    workspace.write('rte.tsv', 'index\tsentence1\tlabel\n7\ta\tentailment\n5\tb\tnot_entailment\n');
    workspace.write('rte-out.tsv', 'index\tprediction\n5\tnot_entailment\n7\tnot_entailment\n');
    const rte = await parsed('glue/rte', '--predictions', 'rte-out.tsv', 'rte.tsv');
    expect(rte).toEqual({ accuracy: 0.5, rows: 2 });
    workspace.write('stsb.csv', 'a\tb\tc\t1\t5.0\tx\ty\na\tb\tc\t2\t1.0\tx\ty\na\tb\tc\t3\t3.0\tx\ty\tz\n');
    workspace.write('stsb-out.tsv', 'index\tprediction\n0\t4.000\n1\t0.000\n2\t2.000\n');
    const stsb = await parsed('glue/stsb', '--predictions', 'stsb-out.tsv', 'stsb.csv');
    for (const name of ['pearson', 'spearmanr', 'combined_score']) expect(stsb[name]).toBeCloseTo(1, 12);
  });

  it('skips ragged rows of the references, with or without a prediction', async () => {
    const rows = ['7\ta\tb\t1', '8\ta', '9\ta\tb\t0', '4\ta\tb\tc\t1', '2\ta\tb\t1'];
    workspace.write('qqp.tsv', `id\tquestion1\tquestion2\tis_duplicate\n${rows.join('\n')}\n`);
    const ofLines = (...lines: string[]) => {
      workspace.write('qqp-out.tsv', `index\tprediction\n${lines.join('\n')}\n`);
      return score('glue/qqp', '--predictions', 'qqp-out.tsv', 'qqp.tsv');
    };
    const named = await ofLines('7\t1', '2\t0', '9\t0');
    expect(JSON.parse(named.stdout)).toMatchObject({ accuracy: 2 / 3, rows: 3 });
    expect(named.stderr).toBe(
      '2 rows are skipped. qqp.tsv:3 needs 4 fields, as in the header, got 2. The same in 2 rows: lines 3, 5.\n',
    );
    for (const lines of [
      ['7\t1', '8\t0', '2\t0', '9\t0'],
      ['0\t1', '2\t0', '4\t0'],
      ['0\t1', '1\t1', '2\t0', '3\t1', '4\t0'],
    ])
      expect(await ofLines(...lines)).toEqual(named);
    expect((await ofLines('0\t1', '1\t0', '2\t0')).stderr).toContain('has 3 answers but none with index 4.');
    expect((await ofLines('7\t1', '2\t0', '9\t0', '5\t0')).stderr).toContain('has 4 answers for');
    expect((await ofLines('0\t1', '1', '2\t0')).stderr).toContain('qqp-out.tsv:3 needs 2 fields');
  });

  it("accepts classes by number or by the Hub's name, also from JSON Lines", async () => {
    const references = [
      { idx: 5, label: 0 },
      { idx: 6, label: 2 },
      { idx: 7, label: 'neutral' },
    ];
    workspace.write('mnli.jsonl', references.map((row) => JSON.stringify(row)).join('\n'));
    workspace.write('mnli-out.tsv', 'index\tprediction\n5\tentailment\n6\tcontradiction\n7\t0\n');
    const mnli = await parsed('glue/mnli', '--predictions', 'mnli-out.tsv', 'mnli.jsonl');
    expect(mnli).toEqual({ accuracy: 2 / 3, rows: 3 });
    workspace.write('names.tsv', 'index\tprediction\n0\tnot_entailment\n1\tentailment\n');
    workspace.write('wnli.tsv', 'index\tlabel\n0\t0\n1\t1\n');
    const wnli = await parsed('glue/wnli', '--predictions', 'names.tsv', 'wnli.tsv');
    expect(wnli.accuracy).toBe(1);
    workspace.write('cola-hub.json', '[{"label": "acceptable"}, {"label": "unacceptable"}]');
    workspace.write('cola-two.tsv', 'index\tprediction\n0\t1\n1\t0\n');
    const cola = await parsed('glue/cola', '--predictions', 'cola-two.tsv', 'cola-hub.json');
    expect(cola.matthews_correlation).toBe(1);
  });

  it('accepts parquet', async () => {
    const references = resolve('src/input/data/parquet/fixtures/rows-none.parquet');
    const { stderr } = await score('glue/cola', '--predictions', 'cola-out.tsv', references);
    expect(stderr).toContain('rows-none.parquet:3 has none of the keys gold_label');
  });

  it('rejects rows without an answer and classes that the task does not have', async () => {
    workspace.write('short.tsv', 'index\tprediction\n0\t1\n1\t0\n');
    const short = await score('glue/cola', '--predictions', 'short.tsv', 'cola.tsv');
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('none with index 2') });
    const other = await score('glue/mrpc', '--predictions', 'rte-out.tsv', 'rte.tsv');
    expect(other.stderr).toContain(
      'rte-out.tsv:3 needs one of 0, 1, not_equivalent, equivalent, got "not_entailment". The same in 2 rows',
    );
  });

  it('scores entities of the last two columns', async () => {
    const lines = [
      '-DOCSTART- O O',
      '',
      'Ann B-PER B-PER',
      'Lee I-PER O',
      '',
      'in O O',
      'Rome B-LOC B-LOC',
      '',
    ];
    workspace.write('tags.txt', lines.join('\n'));
    expect(await parsed('seqeval', '--predictions', 'tags.txt')).toMatchObject({
      precision: 0.5,
      recall: 0.5,
      f1: 0.5,
      accuracy: 0.75,
      support: 2,
      types: { LOC: { f1: 1 }, PER: { f1: 0 } },
    });
  });
});
