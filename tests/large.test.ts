import { describe, expect, it } from 'vitest';
import { reportPage } from '../src/studies/report/page/page.ts';
import { groupRuns } from '../src/studies/report/run/group-runs.ts';
import { addEvent, type RunSummary, runRecord, summarizeRun } from '../src/studies/report/run/run-record.ts';

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
    const page = reportPage(groupRuns([record(events)]), '');
    expect(page).toContain('<main');
    expect(page.length).toBeLessThan(MAX_PAGE);
  });
});
