import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TaskType } from '../data/task-type.ts';
import { evaluateMetrics } from './evaluate-metrics.ts';

interface Case {
  name: string;
  task: TaskType;
  numLabels: number;
  logits: number[];
  targets: number[];
  /** null stands for NaN. */
  expected: Record<string, number | null>;
}

const fixture = JSON.parse(readFileSync('src/metrics/fixtures/oracle.json', 'utf8')) as { cases: Case[] };

describe('equal to scikit-learn and scipy', () => {
  it.each(fixture.cases)('$name', ({ task, numLabels, logits, targets, expected }) => {
    const Targets = task === 'single_label_classification' ? Int32Array : Float32Array;
    const scores = evaluateMetrics(task, new Float32Array(logits), numLabels, Targets.from(targets));
    expect(Object.keys(scores).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, value] of Object.entries(expected)) {
      if (value === null) expect(scores[key], key).toBeNaN();
      else
        expect(Math.abs(scores[key] - value), `${key}: ${scores[key]} against ${value}`).toBeLessThan(1e-9);
    }
  });
});

it('refuses targets that do not fit the logits', () => {
  expect(() => evaluateMetrics('regression', new Float32Array(3), 1, new Float32Array(2))).toThrow(
    '2 targets',
  );
});
