import { describe, expect, it } from 'vitest';
import { comparison } from './comparison.ts';
import { finalRun } from './experiment.ts';
import type { RowResult, TaskResult } from './results/results.ts';
import { bestRows } from './write-results.ts';

const DATA = { train: 'train.tsv', validation: 'dev.tsv', text: 'text', label: 'label' };
const GIVEN = { task: 'single_label_classification', data: DATA, output: 'out' };
const of = (given: object) =>
  comparison({ held_out: 0, ...GIVEN, ...given }, (key) => `sweep.yaml: ${key.join('.')}`);
const rowsOf = (given: object) => of(given).cells.map(({ row }) => row);

describe('the rows of a grid', () => {
  it('are all combinations of its values, the last varying fastest, with every seed', () => {
    const experiment = of({
      grid: { 'training.learning_rate': [1e-3, 5e-4], 'training.num_train_epochs': [1, 2] },
      seeds: [3, 4],
    });
    const { cells, seeds } = experiment;
    expect(cells.map(({ row }) => row)).toEqual([
      'learning_rate=0.001,num_train_epochs=1',
      'learning_rate=0.001,num_train_epochs=2',
      'learning_rate=0.0005,num_train_epochs=1',
      'learning_rate=0.0005,num_train_epochs=2',
    ]);
    expect(seeds).toEqual([3, 4]);
    expect(cells[2]!.settings).toEqual({ 'training.learning_rate': 5e-4, 'training.num_train_epochs': 1 });
    expect(finalRun(experiment, cells[2]!, {}, 4).config).toMatchObject({
      training: { learning_rate: 5e-4, num_train_epochs: 1 },
      seed: 4,
      output: 'out/runs/run/learning_rate-0.0005-num_train_epochs-1/seed-4',
    });
    const one = of({ grid: { 'training.learning_rate': [1e-3, 5e-4] }, seed: 7 });
    expect(one.seeds).toEqual([7]);
    expect(of({ seeds: [0, 0, 1] }).seeds).toEqual([0, 1]);
  });

  it('take a list of lists for a key that is a list', () => {
    const plain = { method: 'lora', lora: { target_modules: ['query', 'value'] }, seeds: 2 };
    const experiment = of(plain);
    expect(experiment.cells.map(({ row, config }) => [row, config.lora])).toEqual([['lora', plain.lora]]);
    const varied = rowsOf({
      method: 'lora',
      grid: { 'lora.target_modules': [['query'], ['query', 'value']] },
    });
    expect(varied).toEqual(['target_modules=query', 'target_modules=query+value']);
  });

  it("have no additional combinations for other methods' settings", () => {
    const rows = rowsOf({ grid: { method: ['lora', 'adalora'], 'lora.r': [4, 8] } });
    expect(rows).toEqual(['method=lora,r=4', 'method=lora,r=8', 'method=adalora']);
  });

  it('are scored on held-out rows, and have a config on all rows beside them', () => {
    const data = { train: 'b/rows.tsv', text: 'text', label: 'label' };
    const grid = { 'data.max_length': [16, 32] };
    const experiment = of({ data, grid, held_out: 0.07 });
    const cell = experiment.cells[0]!;
    expect(cell).toMatchObject({
      row: 'max_length=16',
      config: { data: { train: 'b/rows.tsv', max_length: 16, validation: '7%' } },
    });
    expect(cell.whole!.data).toEqual({ ...data, max_length: 16 });
    expect(finalRun(experiment, cell, {}, 0).config.data).toEqual(cell.config.data);
    const validation = { near: 'near.tsv', far: 'far.tsv' };
    for (const { whole } of of({ data: { ...data, validation }, grid, held_out: 0.1 }).cells)
      expect(whole!.data).toMatchObject({ validation, max_length: expect.any(Number) });
    const sections = [DATA, { ...DATA, train: 'other.tsv' }];
    const { cells } = of({ grid: { data: sections }, held_out: 0.1 });
    expect(cells.map(({ whole }) => whole!.data)).toEqual(sections);
    const wrong = { ...data, validation: { 'a b': 'a.tsv', c: 'c.tsv' } };
    expect(() => of({ data: wrong, grid, held_out: 0.1 })).toThrow('sweep.yaml: data.validation');
    for (const data of [{ train: 'a.txt', validation: 'b.txt' }, { dataset: 'a/b' }])
      expect(of({ task: 'causal_lm', data, held_out: 0.1, seeds: 2 }).cells[0]!.config.data).toEqual({
        ...data,
        validation: '10%',
      });
  });

  it.each([[undefined], [['a', 'b']], [''], [null]])(
    'need one folder above them, which %j is not',
    (output) => {
      expect(() => of({ output, seeds: 2 })).toThrow('`output` must be a folder for all runs, got ');
    },
  );

  it('are rejected if they would end without a score', () => {
    const training = { eval_strategy: 'no' };
    expect(() => of({ training, seeds: 2 })).toThrow(
      'sweep.yaml: training.eval_strategy: `training.eval_strategy` cannot be no, because runs are compared by their evaluations. Set data.validation, and remove training.eval_strategy.',
    );
  });

  it('are rejected without a grid, with an invalid value in it, and if there are too many', () => {
    expect(() => of({})).toThrow(
      'sweep.yaml:  has neither rows nor a grid of values to compare. For example: grid: { training.learning_rate: [1e-3, 2e-3] }. For a single run, use adalora train.',
    );
    expect(() => of({ grid: { 'training.learning_rate': [1e-3, 'fast'] } })).toThrow(
      '`training.learning_rate` must be a number, got "fast".',
    );
    expect(() => of({ trainig: { learning_rate: 1 }, seeds: 2 })).toThrow(/training/);
    expect(() => of({ held_out: 1, seeds: 2 })).toThrow(
      '`held_out` must be at least 0 and less than 1, got 1',
    );
    const many = Array.from({ length: 101 }, (_, i) => i + 1);
    expect(() => of({ grid: { 'training.learning_rate': many, 'training.num_train_epochs': many } })).toThrow(
      'has 10201 runs',
    );
  });
});

describe('the choice among rows of a grid', () => {
  const sweep = of({
    grid: { method: ['lora', 'adalora'], 'training.learning_rate': [1, 2] },
    seeds: 2,
  });
  const rule = { metric: 'accuracy', greaterIsBetter: true, best: false, from: 0, text: '' };
  /** Rows with a mean accuracy, a mean loss, and a number of finished runs, in the order of the combinations. */
  const chosen = (
    rows: readonly [accuracy: number, loss?: number, runs?: number][],
    greaterIsBetter = true,
  ) => {
    const all = sweep.cells.map(({ row }) => row);
    const results = rows.map(
      ([accuracy, loss = 1, runs = 2], i): Partial<RowResult> => ({
        row: all[i]!,
        settings: sweep.cells[i]!.settings,
        runs: Array.from({ length: runs }, (_, seed) => ({ seed, steps: 1, scores: {} })),
        of: 2,
        scores: { accuracy: { mean: accuracy, count: runs }, loss: { mean: loss, count: runs } } as never,
      }),
    );
    const task = { task: 'run', rows: results, rule: { ...rule, greaterIsBetter } } as TaskResult;
    return bestRows(task, sweep).map(({ row, text }) => [all.indexOf(row.row), text]);
  };

  it('is made for each method, by score, then by loss, among complete combinations', () => {
    const text = (method: string, rate: number, middle = '') =>
      `Best ${method} by accuracy on data.validation${middle}: method ${method}, training.learning_rate ${rate}`;
    expect(chosen([[0.5], [0.6], [0.4], [0.3]])).toEqual([
      [1, text('lora', 2)],
      [2, text('adalora', 1)],
    ]);
    expect(chosen([[0.5], [0.6], [0.4], [0.3]], false)).toEqual([
      [0, text('lora', 1)],
      [3, text('adalora', 2)],
    ]);
    const tied = ', of equal scores the lowest loss';
    expect(chosen([[0.5], [0.5, 0.9], [0.4], [0.3]])[0]).toEqual([1, text('lora', 2, tied)]);
    // The second has a higher mean, but one of its seeds is missing.
    const sofar = ' so far (5 of 8 runs are not finished)';
    expect(chosen([[0.5], [0.6, 1, 1]])).toEqual([[0, text('lora', 1, sofar).replace('Best lora', 'Best')]]);
    expect(chosen([[Number.NaN], [0.6, 1, 1]])[0]![0]).toBe(1);
    expect(chosen([[Number.NaN]])).toEqual([]);
  });
});
