import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { labelSetKind } from '../multi-label-classification/definition.ts';
import { scoreKind } from '../regression/definition.ts';
import { classKind } from '../single-label-classification/definition.ts';

const KINDS = {
  single_label_classification: classKind,
  regression: scoreKind,
  multi_label_classification: labelSetKind,
};

interface Case {
  name: string;
  task: keyof typeof KINDS;
  numLabels: number;
  logits: number[];
  targets: number[];
  /** null represents NaN. */
  expected: Record<string, number | null>;
}

const fixture = JSON.parse(readFileSync('src/tasks/labeled/fixtures/oracle.json', 'utf8')) as {
  cases: Case[];
};

describe('scores equal scikit-learn and scipy', () => {
  it.each(fixture.cases)('$name', ({ task, numLabels, logits, targets, expected }) => {
    const Targets = task === 'single_label_classification' ? Int32Array : Float32Array;
    const scores: Record<string, number | undefined> = KINDS[task].scores(
      new Float32Array(logits),
      numLabels,
      Targets.from(targets),
    );
    // The benchmark's score is the mean of two scores, which the oracle returns separately. It has no calibration error.
    const { combined_score, mae: _, r2: __, expected_calibration_error: ___, ...others } = scores;
    if (task === 'regression') expect(combined_score).toEqual((scores.pearson! + scores.spearmanr!) / 2);
    if (task === 'single_label_classification')
      expect(combined_score).toBe((scores.accuracy! + scores.f1!) / 2);
    expect(Object.keys(others).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, value] of Object.entries(expected)) {
      const score = Number(scores[key]);
      if (value === null) expect(score, key).toBeNaN();
      else expect(Math.abs(score - value), `${key}: ${score} against ${value}`).toBeLessThan(1e-9);
    }
  });
});

it.each(Object.entries(KINDS))('scores of %s are rejected if targets do not fit the logits', (_, kind) => {
  expect(() => kind.scores(new Float32Array(6), 2, new Float32Array(2))).toThrow('2 targets');
  expect(() => kind.scores(new Float32Array(0), 2, new Float32Array(0))).toThrow('0 targets');
});
