import { expect, it } from 'vitest';
import { readEvent } from '../../../../training/run/events.ts';
import { runRecord, summarizeRun } from '../../run/run-record.ts';
import { budgetPoints } from './curves.ts';

it('a budget begins with the initial ranks, though the first logged step is later', () => {
  const facts = summarizeRun({ model: 'm', method: 'adalora', data: { train: 'a.tsv' }, training: {} })!;
  const events = [
    { type: 'start', step: 0, total_steps: 100, ranks: { query: 120, key: 96 } },
    { type: 'step', step: 10, budget: 202 },
    { type: 'step', step: 100, budget: 144 },
  ].flatMap(
    (event) => readEvent({ num_train_epochs: 1, train_examples: 1, eval_examples: 0, ...event }) ?? [],
  );
  expect(budgetPoints(runRecord(facts, events))).toEqual([
    [0, 216],
    [10, 202],
    [100, 144],
  ]);
});
