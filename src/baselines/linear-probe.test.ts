import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Random } from '../support/random.ts';
import type { LinearLoss } from './linear-model.ts';
import { type LinearLayer, LinearProbe } from './linear-probe.ts';

interface Oracle {
  width: number;
  features: number[];
  folds: number[][];
  strengths: number[];
  cases: {
    loss: LinearLoss;
    outputs: number;
    targets: number[];
    /** The strength that LogisticRegressionCV chooses. */
    strength: number;
    /** The mean loss of each strength over the folds. */
    losses: number[];
    scores: number[];
  }[];
}

const { width, features, folds, strengths, cases } = JSON.parse(
  readFileSync('src/baselines/fixtures/linear-probe.json', 'utf8'),
) as Oracle;
const held = folds.map((fold) => Int32Array.from(fold));
const rows = features.length / width;

/** Outputs of a layer, [rows, outputs]. Those of a softmax have mean 0 in each row, because their mean is arbitrary. */
function scoresOf({ weight, bias }: LinearLayer, x: Float32Array, loss: LinearLoss): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const scores = Array.from(bias, (start, k) =>
      x
        .subarray(row * width, (row + 1) * width)
        .reduce((sum, value, i) => sum + value * weight[k * width + i]!, start),
    );
    const mean = loss === 'softmax' ? scores.reduce((a, b) => a + b) / scores.length : 0;
    return scores.map((score) => score - mean);
  }).flat();
}

it.each(cases)(
  "equals scikit-learn's models on standardized features: $loss",
  ({ loss, outputs, targets, ...expected }) => {
    const x = Float32Array.from(features);
    const probe = new LinearProbe({ features: x, width, targets, outputs, loss });
    const losses = probe.outOfFold(held, strengths).map((scores) => probe.lossOf(scores));
    // Both fits stop at gradients of 1e-4 per row, which changes a loss by less than their product with the distance.
    losses.forEach((found, i) => expect(Math.abs(found - expected.losses[i]!)).toBeLessThan(1e-4));
    expect(strengths[losses.indexOf(Math.min(...losses))]).toBe(expected.strength);
    // The same gradients, divided by the curvature of the penalty per row, which is at least 1 / 60.
    scoresOf(probe.fit(expected.strength), x, loss).forEach((score, i) => {
      expect(Math.abs(score - expected.scores[i]!)).toBeLessThan(5e-3);
    });
  },
);

it('predicts only the rows of the folds', () => {
  const { loss, outputs, targets } = cases[0]!;
  const probe = new LinearProbe({ features: Float32Array.from(features), width, targets, outputs, loss });
  const [scores] = probe.outOfFold(held.slice(0, 1), [1]);
  const predicted = Array.from({ length: rows }, (_, row) => !Number.isNaN(scores![row * outputs]!));
  expect(predicted).toEqual(Array.from({ length: rows }, (_, row) => row % 4 === 0));
  expect(probe.lossOf(scores!)).toBeGreaterThan(0);
});

it('fits sets of labels, and ignores a constant feature', () => {
  const random = new Random(1, 'features');
  const x = Float32Array.from({ length: 200 * 3 }, (_, at) => (at % 3 === 2 ? 7 : random.normal()));
  const targets = Array.from({ length: 400 }, (_, at) => Number(x[3 * Math.floor(at / 2) + (at % 2)]! > 0));
  const layer = new LinearProbe({ features: x, width: 3, targets, outputs: 2, loss: 'sigmoid' }).fit(1);
  for (const k of [0, 1]) {
    expect(layer.weight[3 * k + k]).toBeGreaterThan(1);
    expect(Math.abs(layer.weight[3 * k + 1 - k]!)).toBeLessThan(1);
    // Rounding of the mean leaves a feature that is nearly 0.
    expect(Math.abs(layer.weight[3 * k + 2]!)).toBeLessThan(1e-12);
  }
});
