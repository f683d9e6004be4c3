import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../report/run/run-record.ts';
import { holdOut } from '../hold-out.ts';
import { sweepMarkdown } from './sweep-markdown.ts';
import { isTied, type RunOutcome, sweepResults } from './sweep-results.ts';
import { type SweepRun, sweepRuns } from './sweep-runs.ts';

const GIVEN = {
  task: 'single_label_classification',
  data: { train: 'train.tsv', validation: 'dev.tsv', text: 'text', label: 'label' },
  output: 'out',
};
const RULE = { metric: 'accuracy', greaterIsBetter: true, best: false, from: 0 };
const runsOf = (given: object, holdsOut?: boolean) =>
  sweepRuns({ ...GIVEN, ...given }, (key) => `sweep.yaml: ${key.join('.')}`, holdsOut);

describe('the runs of a sweep', () => {
  it('are all combinations of the lists, the last varying fastest', () => {
    const runs = runsOf({ training: { learning_rate: [1e-3, 5e-4] }, seed: [0, 1] });
    expect(runs.map(({ name }) => name)).toEqual([
      'learning_rate=0.001,seed=0',
      'learning_rate=0.001,seed=1',
      'learning_rate=0.0005,seed=0',
      'learning_rate=0.0005,seed=1',
    ]);
    expect(runs[2]).toMatchObject({
      settings: { 'training.learning_rate': 5e-4, seed: 0 },
      config: { training: { learning_rate: 5e-4 }, seed: 0, output: 'out/runs/learning_rate=0.0005,seed=0' },
    });
  });

  it('keep a list where a key takes one, and vary it by a list of lists', () => {
    const plain = { method: 'lora', lora: { target_modules: ['query', 'value'] }, seed: [0, 1] };
    expect(runsOf(plain).map(({ config }) => config.lora)).toEqual([plain.lora, plain.lora]);
    const varied = runsOf({ method: 'lora', lora: { target_modules: [['query'], ['query', 'value']] } });
    expect(varied.map(({ name }) => name)).toEqual(['target_modules=query', 'target_modules=query+value']);
  });

  it("have no additional combinations for other methods' settings", () => {
    const runs = runsOf({ method: ['lora', 'adalora'], lora: { r: [4, 8] } });
    expect(runs.map(({ name }) => name)).toEqual(['method=lora,r=4', 'method=lora,r=8', 'method=adalora']);
  });

  it('have a config on all rows beside them, with the data of their own combination', () => {
    const data = { train: ['a/rows.tsv', 'b/rows.tsv'], text: 'text', label: 'label', max_length: [16, 32] };
    const bare = runsOf({ data }, true);
    expect(bare[2]).toMatchObject({
      name: 'train=b_rows.tsv,max_length=16',
      config: { data: { train: 'b/rows.tsv', max_length: 16, validation: expect.any(String) } },
    });
    expect(bare[2]!.whole.data).toEqual({ ...data, train: 'b/rows.tsv', max_length: 16 });
    const validation = { near: 'near.tsv', far: 'far.tsv' };
    for (const { whole } of runsOf({ data: { ...data, validation } }, true))
      expect(whole.data).toMatchObject({ validation, max_length: expect.any(Number) });
    const sections = [GIVEN.data, { ...GIVEN.data, train: 'other.tsv' }];
    expect(runsOf({ data: sections }, true).map(({ whole }) => whole.data)).toEqual(sections);
    const wrong = { ...data, validation: { 'a b': 'a.tsv', c: 'c.tsv' } };
    expect(() => runsOf({ data: wrong }, true)).toThrow('sweep.yaml: data.validation');
  });

  it.each([[undefined], [['a', 'b']], [''], [null]])(
    'need one folder above them, which %j is not',
    (output) => {
      expect(() => runsOf({ output, seed: [0, 1] })).toThrow('`output` must be a folder for all runs, got ');
    },
  );

  it('are rejected if they would end without a score', () => {
    const training = { eval_strategy: 'no' };
    expect(() => runsOf({ training, seed: [0, 1] })).toThrow(
      'sweep.yaml: training.eval_strategy: `training.eval_strategy` cannot be no, because runs are compared by their evaluations. Set data.validation, and remove training.eval_strategy.',
    );
  });

  it('are rejected without a list, and with an invalid value in one', () => {
    expect(() => runsOf({})).toThrow(
      'sweep.yaml:  has no list of values to sweep over. For example: seed: [0, 1, 2]. For a single run, use adalora train.',
    );
    expect(() => runsOf({ training: { learning_rate: [1e-3, 'fast'] } })).toThrow(
      'sweep.yaml: training.learning_rate: `training.learning_rate` must be a number greater than 0, got "fast".',
    );
    expect(() => runsOf({ trainig: { learning_rate: 1 }, seed: [1, 2] })).toThrow(/training/);
  });
});

describe('held-out rows', () => {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const numbers = Array.from({ length: 20 }, (_, i) => `row ${i}`);
  const options = { header: false, quote: false };

  it('are lines of a table, each on one side, with the header on both', () => {
    const parts = holdOut(`name\n${numbers.join('\n')}\n`, 'a.tsv', 0.25, { ...options, header: true });
    const [[head, ...train], [sameHead, ...heldOut]] = [lines(parts.train), lines(parts.heldOut)];
    expect([head, sameHead]).toEqual(['name', 'name']);
    expect([train.length, heldOut.length]).toEqual([15, 5]);
    expect([...train, ...heldOut].sort()).toEqual([...numbers].sort());
    expect(heldOut).not.toEqual(numbers.slice(0, 5));
    expect(holdOut(numbers.join('\n'), 'a.tsv', 0.25, options)).toEqual(
      holdOut(numbers.join('\n'), 'a.tsv', 0.25, options),
    );
  });

  it('keep a quoted field whole', () => {
    const records = numbers.map((text) => `"${text}\nmore ""quoted""",1`);
    const { train, heldOut } = holdOut(records.join('\n'), 'a.csv', 0.5, { ...options, quote: true });
    expect([train, heldOut].map((part) => part.match(/more/g)?.length)).toEqual([10, 10]);
    expect(records.every((record) => train.includes(record) !== heldOut.includes(record))).toBe(true);
  });

  it("are elements of JSON lists, articles of SQuAD's files, and blocks of texts", () => {
    const list = holdOut(JSON.stringify(numbers.map((text) => ({ text }))), 'a.json', 0.1);
    expect(JSON.parse(list.heldOut)).toHaveLength(2);
    expect(JSON.parse(list.train)).toHaveLength(18);
    const squad = holdOut(JSON.stringify({ version: '1.1', data: numbers }), 'a.json', 0.1);
    expect(JSON.parse(squad.heldOut)).toMatchObject({
      version: '1.1',
      data: [expect.anything(), expect.anything()],
    });
    const blocks = numbers.map((text) => `${text} O\nend O`).join('\n\n');
    expect(holdOut(blocks, 'a.conll', 0.1).heldOut.trim().split('\n\n')).toHaveLength(2);
  });

  it('of JSON lists keep numbers that a double cannot represent', () => {
    const rows = numbers.map((_, i) => `{"label": ${1234567890123456700n + BigInt(i)}}`);
    for (const content of [`[${rows}]`, `{"version": 1, "data": [${rows}]}`]) {
      const { train, heldOut } = holdOut(content, 'a.json', 0.1);
      const found = `${train}${heldOut}`.match(/12345678901234567\d\d/g);
      expect(new Set(found)).toHaveLength(numbers.length);
    }
  });

  it("are sentences of CoNLL columns whatever the file's name, and lines of JSON Lines", () => {
    const sentences = numbers.map((text) => `${text}\tO\nend\tO`).join('\n\n');
    for (const name of ['a.tsv', 'a.txt', 'a']) {
      const { train, heldOut } = holdOut(sentences, name, 0.1);
      expect([train, heldOut].map((part) => part.trim().split('\n\n').length)).toEqual([18, 2]);
    }
    const rows = numbers.map((text) => JSON.stringify({ text }));
    for (const name of ['a.jsonl', 'a.json', 'a'])
      expect(lines(holdOut(rows.join('\n'), name, 0.1).heldOut)).toHaveLength(2);
    for (const name of ['a.jsonl', 'a'])
      expect(JSON.parse(holdOut(`[${rows.join()}]`, name, 0.1).heldOut)).toHaveLength(2);
  });

  it('are rejected for a file that is too small', () => {
    expect(() => holdOut('one\ntwo\n', 'a.tsv', 0.1, options)).toThrow(
      'a.tsv has too few rows (2) to hold 0.1 of them out.',
    );
  });
});

describe('the results of a sweep', () => {
  const run = (
    rate: number,
    seed: number,
    accuracy?: number,
    loss = 1,
  ): SweepRun & { record?: RunRecord } => ({
    name: `${rate},${seed}`,
    settings: { 'training.learning_rate': rate, seed },
    config: { output: `out/${rate},${seed}` },
    whole: {},
    record:
      accuracy === undefined
        ? undefined
        : ({
            ...{ steps: [], evaluations: [], allocations: [] },
            finish: { metrics: { eval_accuracy: accuracy, eval_loss: loss }, train_runtime: 60 },
          } as unknown as RunRecord),
  });
  const runs = [run(1, 0, 0.5), run(1, 1, 0.7), run(2, 0, 0.65), run(2, 1)];

  it('have a row per combination, and the best of the complete ones', () => {
    const { rows, best } = sweepResults(runs, RULE);
    expect(rows.map(({ runs, of }) => [runs.length, of])).toEqual([
      [2, 2],
      [1, 2],
    ]);
    expect(rows[0]!.scores.accuracy!.mean).toBeCloseTo(0.6, 12);
    expect(rows[0]!.scores.accuracy!.deviation).toBeCloseTo(Math.SQRT2 / 10, 12);
    // The second row has a higher mean than the first, but only one seed.
    expect(rows[1]!.scores.accuracy!.mean).toBe(0.65);
    expect(best).toEqual([rows[0]]);
    const bestOf = (some: typeof runs, greaterIsBetter: boolean) =>
      sweepResults(some, { ...RULE, greaterIsBetter }).best[0]?.settings;
    const [first, second] = [1, 2].map((rate) => ({ 'training.learning_rate': rate }));
    const halves = [run(1, 0), ...runs.slice(1)];
    expect([bestOf(halves, true), bestOf(halves, false)]).toEqual([first, second]);
    const whole = [...runs.slice(0, 3), run(2, 1, 0.75)];
    expect([bestOf(whole, true), bestOf(whole, false)]).toEqual([second, first]);
    // If scores are equal, the lower loss wins.
    expect(bestOf([run(1, 0, 0.5), run(2, 0, 0.5, 0.9)], true)).toEqual(second);
    expect(bestOf([run(1, 0, 0.5, 0.9), run(2, 0, 0.5)], true)).toEqual(first);
    const tied = (some: RunOutcome[]) => {
      const results = sweepResults(some, RULE);
      return isTied(results.best[0]!, results);
    };
    expect(tied([run(1, 0, 0.5), run(2, 0, 0.5, 0.9)])).toBe(true);
    expect(tied([run(1, 0, 0.5), run(2, 0, 0.6)])).toBe(false);
  });

  it('contain the messages of failed runs', () => {
    const failed = { ...runs[3]!, failure: 'train.tsv: expected rows, got none.\nmore\n' };
    const results = sweepResults([...runs.slice(0, 3), failed], {
      ...RULE,
    });
    expect(results.failed).toEqual([{ name: '2,1', message: 'train.tsv: expected rows, got none.\nmore' }]);
    expect(sweepMarkdown(results).split('\n').slice(4)).toEqual([
      '',
      'Failed:',
      '',
      '- 2,1: train.tsv: expected rows, got none.',
      '',
    ]);
  });

  it('are a table', () => {
    const results = sweepResults(runs, RULE);
    expect(sweepMarkdown(results).split('\n')).toEqual([
      '| training.learning_rate | runs | accuracy | loss | time | memory |',
      '| --- | --- | --- | --- | --- | --- |',
      expect.stringMatching(
        /^\| \*\*1\*\* \| \*\*2\/2\*\* \| \*\*0\.6000 ± 0\.1414\*\* \| \*\*1\.0000 ± 0\.0000\*\* \| \*\*1:00 min\*\* \|/,
      ),
      expect.stringMatching(/^\| 2 \| 1\/2 \| 0\.6500 \|/),
      '',
    ]);
  });

  it('state how a score is averaged over classes, if all runs agree', () => {
    const [first, second] = [runs[0]!, runs[1]!];
    const saying = (run: typeof first, averages?: Record<string, string>) => ({
      ...run,
      record: { ...run.record, start: { averages } } as unknown as RunRecord,
    });
    const head = (...some: typeof runs) => sweepMarkdown(sweepResults(some, RULE)).split('\n')[0];
    const macro = { accuracy: 'macro' };
    expect(head(saying(first, macro), saying(second, macro), runs[3]!)).toContain(
      '| accuracy (macro) | loss |',
    );
    expect(head(saying(first, macro), saying(second))).toContain('| accuracy | loss |');
  });

  it('have a column for each varied key, empty in rows without it', () => {
    const found = runsOf({ method: ['houlsby', 'lora'], lora: { r: [2, 4] } });
    const scored = found.map((run) => ({ ...run, record: runs[0]!.record }));
    const lines = sweepMarkdown(sweepResults(scored, RULE)).split('\n');
    expect(lines.slice(0, 5)).toEqual([
      expect.stringMatching(/^\| method \| lora\.r \| runs \|/),
      expect.stringMatching(/^\| --- \| --- \| --- \|/),
      expect.stringMatching(/^\| \*\*houlsby\*\* \| {2}\| \*\*1\/1\*\* \|/),
      // This row is bold, because it is the best of its method.
      expect.stringMatching(/^\| \*\*lora\*\* \| \*\*2\*\* \| \*\*1\/1\*\* \|/),
      expect.stringMatching(/^\| lora \| 4 \| 1\/1 \|/),
    ]);
    expect(lines.join()).not.toContain('undefined');
  });
});
