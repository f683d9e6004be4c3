import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { newConfig } from '../src/faces/cli/starting/config-for-data.ts';
import { findTestSet, readDataFile } from '../src/faces/cli/starting/read-data-file.ts';
import { localData } from '../src/input/data/node/text-files.ts';
import { holdOut, type Splittable, splitFolds } from '../src/input/data/split-rows.ts';
import { reportPage } from '../src/studies/report/page/page.ts';
import { groupRuns } from '../src/studies/report/run/group-runs.ts';
import { addEvent, type RunSummary, runRecord, summarizeRun } from '../src/studies/report/run/run-record.ts';
import { taskNamed } from '../src/tasks/registry.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import { newWorkspace } from './support/commands.ts';

/** Bytes of a page that a browser opens at once, and that fits in an e-mail. */
const MAX_PAGE = 1_000_000;

/** BERT-base: 12 layers with 6 matrices each. */
const MODULES = Array.from({ length: 12 }, (_, layer) =>
  ['self.query', 'self.key', 'self.value', 'output.dense']
    .map((name) => `attention.${name}`)
    .concat('intermediate.dense', 'output.dense')
    .map((name) => `bert.encoder.layer.${layer}.${name}`),
).flat();

function record(events: Iterable<unknown>) {
  const facts = summarizeRun({
    model: 'bert-base-uncased',
    task: 'single_label_classification',
    method: 'adalora',
    data: { train: 'train.tsv' },
    training: {},
    adalora: { init_r: 12, target_r: 8 },
    seed: 0,
  }) as RunSummary;
  const made = runRecord(facts, [], '');
  for (const event of events) addEvent(made, event as never);
  return made;
}

const start = (steps: number) => ({
  type: 'start',
  step: 0,
  total_steps: steps,
  num_train_epochs: 3,
  train_examples: 100_000,
  eval_examples: 1000,
  ranks: Object.fromEntries(MODULES.map((name) => [name, 12])),
});

function* allocations(count: number) {
  yield start(count);
  for (let step = 1; step <= count; step++) {
    const ranks = Object.fromEntries(MODULES.map((name, i) => [name, 4 + ((step * (i + 3)) % 9)]));
    yield { type: 'allocation', step, budget: 576, threshold: 1e-9, ranks, final: step === count };
  }
}

function* steps(count: number) {
  yield start(count);
  for (let step = 1; step <= count; step++)
    yield {
      type: 'step',
      step,
      loss: 1 / step,
      learning_rate: 1e-4,
      grad_norm: 1,
      budget: 576,
      examples_per_second: 9,
      peak_memory_mb: 900,
    };
}

describe('the report', () => {
  it.each([
    ['5,000 allocations of 72 matrices', allocations(5000)],
    ['300,000 logged steps', steps(300_000)],
  ])('shows %s in a page below 1 MB', (_, events) => {
    const page = reportPage(groupRuns([record(events)]));
    expect(page).toContain('<main');
    expect(page.length).toBeLessThan(MAX_PAGE);
  });
});

const workspace = newWorkspace();

/** A table with a text, a label and other fields in each row. */
function table(rows: number, fields: (i: number) => readonly (string | number)[], header: string): string {
  return [header, ...Array.from({ length: rows }, (_, i) => fields(i).join('\t'))].join('\n');
}

/** Guesses what a file is for, writes and checks its config, reads its rows, and holds out a tenth. */
async function readLarge(name: string, content: string) {
  workspace.write(name, content);
  const path = workspace.path(name);
  const described = await newConfig(path, 'x.yaml', { set: [] }, () => {});
  const config = parseRunConfig(parse(described), 'x.yaml');
  const task = taskNamed(config.task);
  const rows = task.files.read(await localData.at(path, false), config.data);
  const splittable = task.files.splittable!(rows, config.data);
  const all = splittable.texts.length;
  const numbers: Splittable<number[]> = { ...splittable, pick: (some) => [...some] };
  const held = holdOut(numbers, 0.1);
  expect(new Set([...held.train, ...held.validation]).size).toBe(all);
  return { task: config.task, described, splittable: numbers, held, all };
}

describe('large data is read, guessed and split', () => {
  it('200,000 rows', async () => {
    const fields = (i: number) => [`a text of number ${i}`, ['good', 'bad', 'other'][(i * 7) % 3]!];
    const { task, all, held } = await readLarge('rows.tsv', table(200_000, fields, 'text\tlabel'));
    expect(task).toBe('single_label_classification');
    expect(all).toBe(200_000);
    expect(held.validation).toHaveLength(20_000);
  });

  it('200,000 numbers on a scale', async () => {
    const fields = (i: number) => [`a text of number ${i}`, (i % 500) / 100];
    const { task, described } = await readLarge('scale.tsv', table(200_000, fields, 'text\tscore'));
    expect(task).toBe('regression');
    expect(described).toContain('4.99');
  });

  it('300,000 pairs', async () => {
    const fields = (i: number) => [`a question of number ${i}`, `its answer is number ${i}`];
    const { task, all } = await readLarge('pairs.tsv', table(300_000, fields, 'question\tanswer'));
    expect(task).toBe('sentence_embedding');
    expect(all).toBe(300_000);
  });

  it('1,000 classes, in a cycle: every fold has every class on both sides', async () => {
    const fields = (i: number) => [`a text of number ${i}`, `class ${i % 1000}`];
    const { task, splittable } = await readLarge('classes.tsv', table(10_000, fields, 'text\tlabel'));
    expect(task).toBe('single_label_classification');
    for (const { train, validation } of splitFolds(splittable, 5))
      for (const part of [train, validation])
        expect(new Set(part.map((row) => splittable.strata![row])).size).toBe(1000);
  });

  it('10,000 images by name, in three folders', async () => {
    const folder = workspace.path('images');
    for (const [part, count] of Object.entries({ train: 8000, val: 1000, test: 1000 }))
      for (let i = 0; i < count; i++) {
        const path = `${folder}/${part}/${['cat', 'dog'][i % 2]}/${i}.png`;
        if (i < 2) mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, '');
      }
    const { table, guesses, parts } = await readDataFile(folder);
    expect(table!.rows).toHaveLength(8000);
    expect(guesses[0]).toMatchObject({ task: 'single_label_classification', at: { text: 0, label: 1 } });
    expect(parts).toEqual({ train: `${folder}/train`, validation: `${folder}/val`, test: `${folder}/test` });
    expect(await findTestSet(folder, parts.train)).toBe(parts.test);
  });
});
