import { expect, it } from 'vitest';
import { evaluationEvent, readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { addEvent, emptyRecord, type RunRecord, summarizeRun } from '../../report/run/run-record.ts';
import type { Cell } from '../experiment.ts';
import { scoredBy, scoringRule } from '../scoring-rule.ts';
import type { Settings } from '../settings.ts';
import { mainTable } from './main-table.ts';
import { resultsMarkdown } from './markdown.ts';
import { type CellOutcome, findScales, taskResult } from './results.ts';

const TRAINING = { metric_for_best_model: 'accuracy', greater_is_better: true, load_best_model_at_end: true };

/** A run that evaluates every 10 steps. It fixes its ranks at `final`, if given. */
function runOf(
  method: string,
  seed: number,
  accuracies: number[],
  final?: number,
  parameters = 100,
): RunRecord {
  const facts = summarizeRun({ model: 'm', method, seed, data: { train: 'CoLA/train.tsv' }, training: {} })!;
  const record = emptyRecord(facts);
  const allocation = {
    type: 'allocation',
    step: final,
    budget: 1,
    threshold: 0,
    final: true,
    ranks: {},
    scores: [],
  };
  const events = [
    { type: 'start', step: 0, total_steps: 30, num_train_epochs: 3, train_examples: 8551 },
    ...(final ? [allocation] : []),
    ...accuracies.map((accuracy, i) =>
      evaluationEvent(10 * (i + 1), i, { eval_accuracy: accuracy, eval_loss: 1 }, false),
    ),
    {
      type: 'finish',
      step: 30,
      reason: 'done',
      train_runtime: 60,
      adapter_parameters: parameters,
      metrics: {},
    },
  ];
  for (const event of events) addEvent(record, readEvent({ ...event }) ?? (event as never));
  return record;
}

/** The confusion matrix of a model that answers `no` for this number of examples. */
const predictions = (step: number, no: number): TrainEvent => ({
  type: 'confusion',
  step,
  labels: ['no', 'yes'],
  counts: [
    [no, 30 - no],
    [0, 70],
  ],
});

function outcome(
  row: string,
  records: RunRecord[],
  more: Partial<CellOutcome> = {},
  cell: Partial<Cell> = {},
): CellOutcome {
  const whole = { row, task: 'CoLA', settings: {}, config: {}, grid: [], ...cell };
  return { cell: whole, tried: [], records, failures: [], of: records.length, ...more };
}

const lora = [0, 1, 2].map((seed) => runOf('lora', seed, [0.9, 0.6 + seed / 100, 0.5]));
const adaLora = [0, 1, 2].map((seed) =>
  runOf('adalora', seed, [0.95, 0.7, 0.72 + seed / 50], 20, 100 + seed),
);
const resultOf = (outcomes: CellOutcome[]) =>
  taskResult(
    outcomes,
    scoringRule(
      TRAINING,
      outcomes.flatMap(({ records }) => records),
    ),
  );

it('every row is scored by its best evaluation after all ranks are final', () => {
  const { rows, rule } = resultOf([outcome('LoRA', lora), outcome('AdaLoRA', adaLora)]);
  expect(rule.from).toBe(20);
  expect(rule.text).toContain('from step 20 on');
  // LoRA's 0.9 at step 10 does not count, because AdaLoRA's ranks were not final by then.
  expect(rows[0]!.scores.accuracy!.mean).toBeCloseTo(0.61, 12);
  expect(rows[1]!.scores.accuracy!.mean).toBeCloseTo(0.74, 12);
  expect(resultOf([outcome('LoRA', lora)]).rows[0]!.scores.accuracy!.mean).toBeCloseTo(0.9, 12);
  const last = scoringRule({ ...TRAINING, load_best_model_at_end: false }, lora);
  expect(taskResult([outcome('LoRA', lora)], last).rows[0]!.scores.accuracy!.mean).toBe(0.5);
});

it('the scores with which a run ended count unless another row fixed its ranks later', () => {
  const scoreOf = (record: RunRecord, others: RunRecord[] = []) =>
    scoredBy(record, scoringRule(TRAINING, [record, ...others])).scores.get('accuracy');
  const run = runOf('lora', 0, [0.7, 0.9, 0.89, 0.5]);
  expect(scoreOf(run)).toBe(0.9);
  expect(scoreOf(run, [runOf('adalora', 0, [0.1], 30)])).toBe(0.89);
  // This run ended with a linear probe.
  run.finish = { ...run.finish!, metrics: { eval_accuracy: 0.88 } };
  expect(scoreOf(run)).toBe(0.88);
  expect(scoreOf(run, [runOf('adalora', 0, [0.1], 20)])).toBe(0.9);
});

it('only built-in scores that are shares are printed in percent', () => {
  const names = [
    'accuracy',
    'bleu',
    'loss',
    'rmse',
    'cost',
    'log_accuracy',
    'near_accuracy',
    'far_mae',
    'mean',
  ];
  const prefixes = ['near_', 'far_'];
  expect(findScales(names, ['', ...prefixes])).toEqual({
    accuracy: 100,
    bleu: 1,
    loss: 1,
    rmse: 1,
    cost: 1,
    log_accuracy: 1,
    near_accuracy: 100,
    far_mae: 1,
    mean: 100,
  });
  expect(findScales(['near_accuracy'], [''])).toEqual({ near_accuracy: 1 });
  const own = runOf('lora', 0, [0.5]);
  own.evaluations[0] = evaluationEvent(10, 1, { eval_rmse: 1.234, eval_accuracy: 0.5 }, false);
  const task = resultOf([outcome('LoRA', [own], {}, { scores: ['rmse', 'accuracy'] })]);
  const results = { title: '', about: [], versions: {}, seeds: [], tasks: [task] };
  expect(mainTable(results)[1]).toContain('1.23 / 50.00');
  expect(resultsMarkdown(results)).toContain('| 1.23 |');
});

it('parameters are those of all seeds', () => {
  const task = resultOf([outcome('AdaLoRA', adaLora)]);
  expect(task.rows[0]!.parameters?.mean).toBe(101);
  expect(mainTable({ title: '', about: [], versions: {}, seeds: [], tasks: [task] })[1]).toContain(
    '100 to 102',
  );
});

it('all parameters are trained if there is no adapter', () => {
  const start = { type: 'start', step: 0, trainable_parameters: 184, adapter_parameters: 0 };
  const full = runOf('full', 0, [0.9], undefined, 0);
  addEvent(full, readEvent(start) ?? (start as never));
  expect(resultOf([outcome('full', [full])]).rows[0]!.parameters?.mean).toBe(184);
});

it("the paper's numbers are only beside runs on its number of rows", () => {
  const paper = { paper: { accuracy: 71.45 }, scores: ['accuracy'] };
  const shown = (count: number, least = false) =>
    resultOf([outcome('a', lora, {}, { ...paper, paperExamples: { count, least } })]).rows[0]!.scores
      .accuracy!.paper;
  expect(shown(8551)).toBeCloseTo(0.7145, 12);
  expect(shown(8550)).toBeUndefined();
  expect([shown(8000, true), shown(9000, true)]).toEqual([expect.closeTo(0.7145, 12), undefined]);
});

it("has remarks on a row's reliability", () => {
  const grid = [1e-3, 1e-2, 1e-1].map((rate) => ({ 'training.learning_rate': rate }));
  const same = runOf('lora', 3, [0.7, 0.7, 0.7]);
  // The evaluation at step 20 counts, because another row's ranks are final then.
  addEvent(same, predictions(10, 3));
  addEvent(same, predictions(20, 0));
  const learned = runOf('lora', 5, [0.7, 0.8, 0.7]);
  addEvent(learned, predictions(10, 0));
  addEvent(learned, predictions(20, 3));
  const lost = runOf('lora', 4, [0.5, Number.NaN, Number.NaN]);
  const { remarks } = resultOf([
    outcome(
      'edge',
      lora,
      { choice: grid[2], tried: [{ choice: grid[0]!, until: 25, failed: true }] },
      { grid },
    ),
    outcome('inside', adaLora, { choice: grid[1] }, { grid }),
    outcome(
      'nothing',
      lora,
      {
        choice: grid[1],
        tried: [
          ...grid.slice(0, 2).map((choice) => ({ choice, until: 100, score: 0, learnedNothing: true })),
          { choice: grid[2]!, until: 25, failed: true },
        ],
      },
      { grid },
    ),
    outcome(
      'something',
      lora,
      {
        choice: grid[1],
        tried: grid.map((choice, i) => ({
          choice,
          until: 100,
          score: i,
          ...(i !== 1 && { learnedNothing: true }),
        })),
      },
      { grid },
    ),
    outcome('same', [same, learned]),
    outcome('lost', [lost], { of: 2, failures: [{ name: 'run', message: 'bad rows\nmore' }] }),
  ]);
  expect(remarks).toEqual([
    'edge: failed or diverged with training.learning_rate 0.001 during tuning.',
    'edge: the best training.learning_rate, 0.1, is the largest of its grid. A value beyond it may be better.',
    'nothing: failed or diverged with training.learning_rate 0.1 during tuning.',
    'nothing: no choice of its grid learned anything: each scores 0 or predicts one class for every example. Add other values of training.learning_rate to the grid, or train for more steps.',
    'same: predicts one class for every example (seed 3).',
    'lost: 1 of 2 runs are finished.',
    'run failed: bad rows',
    'lost: diverged with seed 4 and has no score there.',
  ]);
});

it('writes a table, its tests and its settings as Markdown', () => {
  const tasks = [
    resultOf([
      outcome('LoRA_1', lora, { comparedWith: 'AdaLoRA' }, { settings: { method: 'lora', 'lora.r': 2 } }),
      outcome('AdaLoRA', adaLora),
    ]),
  ];
  const results = { title: 'A & B', about: ['5 seeds'], versions: {}, seeds: [0, 1, 2], tasks };
  const markdown = resultsMarkdown(results);
  expect(markdown).toContain('| LoRA_1 | 61.00 ± 1.00 | 100 | 1:00 min |  |');
  expect(markdown).toMatch(
    /^\| LoRA_1 – AdaLoRA \| −13\.00 \| −15\.48 to −10\.52 \| −13\.00 \| 0\.0020 \| 0\.0020 \|/m,
  );
  expect(markdown).toContain('\n- LoRA_1: method lora, lora.r 2; 30 steps\n- AdaLoRA: 30 steps\n');
});

it('has the settings that all runs have in common', () => {
  const [a, b] = [0.01, 0.02].map((learning_rate, seed) => {
    const training = {
      max_steps: -1,
      num_train_epochs: 3,
      per_device_train_batch_size: 16,
      learning_rate,
      warmup_steps: 0,
      warmup_ratio: 0.06,
      weight_decay: 0,
    };
    const data = { train: `${seed}.tsv`, max_length: 64 };
    const facts = summarizeRun({ model: 'm', method: 'lora', seed, output: `${seed}`, data, training })!;
    return { ...runOf('lora', seed, [0.5]), facts };
  });
  const task = resultOf([outcome('a', [a!]), outcome('b', [b!])]);
  expect(task.common).toMatchObject({ method: 'lora', 'data.max_length': 64, 'training.warmup_ratio': 0.06 });
  for (const key of ['training.learning_rate', 'data.train', 'output', 'seed', 'model'])
    expect(task.common).not.toHaveProperty([key]);
  const text = (common: Settings) =>
    resultsMarkdown({ title: '', about: [], versions: {}, seeds: [], tasks: [{ ...task, common }] });
  expect(text(task.common)).toContain(
    'All rows: 3 epochs, batch size 16, warm-up for 6 % of the steps, weight decay 0, max_length 64.\n',
  );
  // A number of steps replaces the epochs, and warm-up steps the ratio.
  const steps = { ...task.common, 'training.max_steps': 500, 'training.warmup_steps': 20 };
  expect(text(steps)).toContain('All rows: 500 steps, batch size 16, 20 warm-up steps, ');
  expect(text({})).not.toContain('All rows');
});

it('tests the pairs of the best row only, with many rows', () => {
  const rows = Array.from({ length: 31 }, (_, i) => {
    const accuracy = i === 7 ? 0.9 : 0.5 + i / 100;
    return outcome(`row ${i}`, [runOf('lora', 0, [accuracy]), runOf('lora', 1, [accuracy + 0.01 * (i % 3)])]);
  });
  const { tests } = resultOf(rows);
  expect(tests).toHaveLength(30);
  for (const { first, second } of tests) expect([first, second]).toContain('row 7');
  expect(resultOf(rows.slice(0, 30)).tests).toHaveLength((30 * 29) / 2);
});
