import { expect, it } from 'vitest';
import { readEvent } from '../../../../training/run/events.ts';
import { runRecord, summarizeRun } from '../../run/run-record.ts';
import { budgetPoints } from './curves.ts';
import { binEdges, countBins, splitScores } from './importance.ts';

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

it('scores are split by the rank of each module', () => {
  const scores = [
    [-1, -2, -3],
    [-1.5, null, null],
    [null, null, null],
  ];
  expect(splitScores(scores, [2, 2, 0])).toEqual({
    kept: [-1, -2, -1.5],
    dropped: [-3],
    keptCount: 4,
    count: 9,
  });
});

it('bins contain every value once', () => {
  const values = [-12.3, -11, -9.99, -9.99, -8.5];
  const edges = binEdges(values);
  expect(edges[0]).toBeLessThanOrEqual(-12.3);
  expect(edges.at(-1)).toBeGreaterThan(-8.5);
  expect(countBins(values, edges).reduce((a, b) => a + b)).toBe(5);
  expect(binEdges([]).length).toBe(2);
  expect(binEdges([3, 3]).length).toBe(2);
});
