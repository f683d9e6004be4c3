import { describe, expect, it } from 'vitest';
import { evaluationEvent, readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { dataName, groupRuns, modelName, shortFolderNames } from './group-runs.ts';
import {
  describeComponents,
  finalConfusion,
  finalParameters,
  finalScores,
  newestRanks,
  type RunSummary,
  runRecord,
  summarizeRun,
} from './run-record.ts';
import { mergeTimelines } from './timeline.ts';

const ADALORA = {
  model: '/models/mini',
  task: 'single_label_classification',
  method: 'adalora',
  data: { train: 'data/glue/CoLA/train.tsv', text: 3, label: 1 },
  training: { learning_rate: 2e-3, logging_steps: 10 },
  adalora: { init_r: 4, target_r: 2 },
  output: 'runs/a',
  seed: 0,
  device: 'cpu',
};
const facts = (changes: object = {}) => summarizeRun({ ...ADALORA, ...changes }) as RunSummary;
const run = (changes: object = {}, events: unknown[] = []) =>
  runRecord(
    facts(changes),
    events.flatMap((event) => readEvent(event) ?? []),
  );

/** Typed as the trainer's events, because a report reads what the trainer emits. */
const EVENTS: TrainEvent[] = [
  {
    type: 'start',
    step: 0,
    total_steps: 20,
    num_train_epochs: 2,
    train_examples: 160,
    eval_examples: 48,
    truncated: 0,
    trainable_parameters: 100,
    adapter_parameters: 90,
    ranks: { 'm.0.q': 4, 'm.0.k': 4 },
    method: 'adalora',
    device: 'cpu',
    startup_ms: 5,
  },
  {
    type: 'step',
    step: 10,
    epoch: 1,
    loss: Number.NaN,
    grad_norm: 1,
    learning_rate: 1e-3,
    examples_per_second: 100,
    peak_memory_mb: 300,
    skipped_steps: 0,
  },
  {
    type: 'allocation',
    step: 12,
    budget: 4,
    threshold: 0.1,
    final: true,
    ranks: { 'm.0.q': 3, 'm.0.k': 1 },
    scores: [
      [0, -0.5, -1, -2],
      [-0.7, -1.5, -2, null],
    ],
  },
  evaluationEvent(
    20,
    2,
    {
      eval_loss: 0.4,
      eval_accuracy: 0.8,
      eval_runtime: 1,
      eval_samples_per_second: 48,
    },
    true,
  ),
];

describe('a record', () => {
  it('has every event of the trainer', () => {
    const record = run({}, EVENTS);
    expect(EVENTS.map((event) => readEvent(event)?.type)).toEqual(EVENTS.map(({ type }) => type));
    expect(record).toMatchObject({ step: 20, start: { total_steps: 20 }, allocations: [{ budget: 4 }] });
    expect(record.steps[0]!.loss).toBeNaN();
    expect(Object.fromEntries(finalScores(record))).toEqual({ loss: 0.4, accuracy: 0.8 });
    expect(newestRanks(record)).toEqual({ 'm.0.q': 3, 'm.0.k': 1 });
  });

  it('has the number of parameters at the end, unless an older log has only that at the start', () => {
    const [start, step, allocation] = EVENTS;
    expect(finalParameters(run({}, [start, step]))).toBe(90);
    expect(finalParameters(run({}, [start, allocation]))).toBeUndefined();
    const finish = { type: 'finish', step: 20, reason: 'done', metrics: {}, adapter_parameters: 45 };
    expect(finalParameters(run({}, [start, allocation, finish]))).toBe(45);
  });

  it('has the confusion matrix of the kept evaluation', () => {
    const at = (step: number, isKept: boolean): TrainEvent[] => [
      evaluationEvent(step, 1, {}, isKept),
      {
        type: 'confusion',
        step,
        labels: ['a', 'b'],
        counts: [
          [step, 0],
          [0, 1],
        ],
      },
    ];
    const events = [...at(5, false), ...at(10, true), ...at(15, false)];
    const stepOf = (load_best_model_at_end: boolean, count: number) =>
      finalConfusion(run({ training: { load_best_model_at_end } }, events.slice(0, count)))?.step;
    expect([0, 2, 4, 6].map((count) => stepOf(true, count))).toEqual([undefined, 5, 10, 10]);
    expect([0, 2, 4, 6].map((count) => stepOf(false, count))).toEqual([undefined, 5, 10, 15]);
  });

  it('reads lines of older logs, and null as NaN', () => {
    const { scores: _, ...old } = EVENTS[2] as Extract<TrainEvent, { type: 'allocation' }>;
    expect(readEvent(old)).toEqual(old);
    expect(readEvent({ type: 'step', step: 3, loss: null })).toMatchObject({ loss: Number.NaN });
    const finish = { type: 'finish', step: 3, reason: 'done', metrics: { eval_pearson: null } };
    expect(readEvent(finish)).toMatchObject({ metrics: { eval_pearson: Number.NaN } });
  });

  it.each([
    [undefined],
    [{ type: 'unknown', step: 1 }],
    [{ type: 'step', step: -1 }],
    [{ type: 'allocation', step: 1, budget: 1, threshold: 1, final: false, ranks: { a: 'x' } }],
  ])('ignores %j', (value) => {
    expect(readEvent(value)).toBeUndefined();
  });

  it('of a resumed run uses its newest start', () => {
    const resumed = run({}, [...EVENTS, { ...EVENTS[0], step: 20, ranks: { 'm.0.q': 3, 'm.0.k': 1 } }]);
    expect(resumed.start).toMatchObject({ step: 20, ranks: { 'm.0.q': 4 } });
  });
});

describe('groups', () => {
  it('contain runs that differ only by seed, folder and reporting', () => {
    const runs = [
      run({ seed: 2, output: 'b' }),
      run({
        seed: 1,
        output: 'c',
        training: {
          learning_rate: 2e-3,
          logging_steps: 1,
          report_to: 'tensorboard',
          gradient_checkpointing: true,
        },
      }),
      run({ method: 'lora', adalora: undefined, lora: { r: 2 } }),
    ];
    const groups = groupRuns(runs);
    expect(groups.map(({ label }) => label)).toEqual(['AdaLoRA', 'LoRA']);
    expect(groups[0]!.runs.map((member) => member.facts.seed)).toEqual([1, 2]);
  });

  it('are named after their differences', () => {
    const labels = (...all: object[]) =>
      groupRuns(all.map((changes) => run(changes))).map(({ label }) => label);
    expect(labels({}, { adalora: { init_r: 8, target_r: 2 } })).toEqual([
      'AdaLoRA, init_r 4',
      'AdaLoRA, init_r 8',
    ]);
    expect(labels({}, { data: { train: 'data/glue/MRPC/train.tsv', text: 3, label: 1 } })).toEqual([
      'AdaLoRA, CoLA',
      'AdaLoRA, MRPC',
    ]);
    expect(labels({})).toEqual(['AdaLoRA']);
  });

  it('of a method without ranks have none over time', () => {
    const finish = { type: 'finish', step: 20, reason: 'done', metrics: {}, ranks: {} };
    const [group] = groupRuns([
      run({ method: 'bitfit', adalora: undefined }, [{ ...EVENTS[0], ranks: {} }, finish]),
    ]);
    expect(mergeTimelines(group!)).toEqual([]);
  });

  it('have the mean ranks of their runs over time', () => {
    const other = [EVENTS[0], { ...EVENTS[2], ranks: { 'm.0.q': 2, 'm.0.k': 2 } }];
    const [group] = groupRuns([run({}, EVENTS), run({ seed: 1 }, other)]);
    expect(mergeTimelines(group!)).toEqual([
      { step: 0, budget: 8, ranks: { 'm.0.q': 4, 'm.0.k': 4 } },
      { step: 12, budget: 4, ranks: { 'm.0.q': 2.5, 'm.0.k': 1.5 } },
    ]);
  });
});

it.each([
  ['data/glue/CoLA/train.tsv', 'CoLA'],
  ['spam.jsonl', 'spam'],
  ['train.csv', 'train'],
  ['../data/imdb/train-20k.csv', 'imdb'],
])('data in %s has the name %s', (train, name) => {
  expect(dataName(facts({ data: { train } }))).toBe(name);
});

it.each([
  [
    ['/a/runs/x', '/a/runs/y'],
    ['x', 'y'],
  ],
  [
    ['/a/one/run', '/a/two/run'],
    ['one/run', 'two/run'],
  ],
  [
    ['/a/run', '/a/run'],
    ['run', 'run'],
  ],
])('folders %j have the names %j', (paths, names) => {
  expect(shortFolderNames(paths)).toEqual(names);
});

it('a model is named by its id or the last name of its folder', () => {
  expect(modelName(facts({ model: 'owner/name' }))).toBe('owner/name');
  expect(modelName(facts({ model: '/home/someone/models/mini/' }))).toBe('mini');
});

it.each([
  [['adalora', 'svd_lora'], 'triplets'],
  [['prune_lora', 'lora', 'bitfit'], 'doublets'],
  [['adalora', 'lora'], 'components'],
  [['of another version'], 'triplets'],
])('the ranks of %j count %s', (methods, components) => {
  expect(describeComponents(methods)).toBe(components);
});
