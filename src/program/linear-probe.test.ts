import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { LinearLoss } from '../scores/baselines/linear-model.ts';
import { Random } from '../support/random.ts';
import { LinearProbe } from './linear-probe.ts';
import { nodeEngine } from './node/node-engine.ts';
import { type LinearLayer, layerOutputs } from './objectives/sentence-classifier.ts';
import type { ModelWeights } from './weight-memory.ts';

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

const { width, folds, strengths, cases, ...oracle } = JSON.parse(
  readFileSync('src/program/fixtures/linear-probe.json', 'utf8'),
) as Oracle;
const features = Float32Array.from(oracle.features);
const rows = features.length / width;
// The graphs of a probe read no weights of a model.
const engine = nodeEngine({ weightFolder: '' } as ModelWeights, 'cpu');

/** The mean loss of outputs [rows, outputs]. Two classes have two outputs. */
function lossOf(scores: Float32Array, targets: readonly number[], outputs: number, loss: LinearLoss): number {
  const each = targets.map((target, row) => {
    const of = scores.subarray(row * outputs, (row + 1) * outputs);
    if (loss === 'squared') return (of[0]! - target) ** 2 / 2;
    return Math.log(of.reduce((sum, score) => sum + Math.exp(score), 0)) - of[target]!;
  });
  return each.reduce((a, b) => a + b) / each.length;
}

/** Outputs of a layer. Those of several classes have mean 0 in each row, because their mean is arbitrary. */
function scoresOf(layer: LinearLayer, outputs: number): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const scores = layerOutputs(layer, features.subarray(row * width, (row + 1) * width));
    if (outputs === 1) return [scores.at(-1)! - (scores.length === 2 ? scores[0]! : 0)];
    const mean = scores.reduce((a, b) => a + b) / scores.length;
    return [...scores].map((score) => score - mean);
  }).flat();
}

it.each(cases)(
  "equals scikit-learn's models on standardized features: $loss",
  async ({ loss, outputs, targets, ...expected }) => {
    // scikit-learn's model of two classes has one output.
    const isBinary = loss === 'sigmoid';
    const asked = isBinary ? ({ loss: 'softmax', outputs: 2 } as const) : { loss, outputs };
    const probe = new LinearProbe(engine, { features, width, targets, ...asked });
    const found = await probe.outOfFold(folds, strengths);
    const losses = found.map((scores) => lossOf(scores, targets, asked.outputs, asked.loss));
    // Both fits stop at gradients of 1e-4 per row, and their losses differ by less than that.
    losses.forEach((value, i) => {
      expect(Math.abs(value - expected.losses[i]!)).toBeLessThan(1e-4);
    });
    expect(strengths[losses.indexOf(Math.min(...losses))]).toBe(expected.strength);
    const [layer] = await probe.fit([expected.strength]);
    // A gradient of 1e-4 per row, divided by the curvature of the penalty per row, which is at least 1 / 60.
    scoresOf(layer!, outputs).forEach((score, i) => {
      expect(Math.abs(score - expected.scores[i]!)).toBeLessThan(6e-3);
    });
  },
);

it('predicts only the rows of the folds', async () => {
  const { loss, outputs, targets } = cases[0]!;
  const probe = new LinearProbe(engine, { features, width, targets, outputs, loss });
  const [scores] = await probe.outOfFold(folds.slice(0, 1), [1]);
  const predicted = Array.from({ length: rows }, (_, row) => !Number.isNaN(scores![row * outputs]!));
  expect(predicted).toEqual(Array.from({ length: rows }, (_, row) => row % 4 === 0));
});

it('counts a row as often as its weight says', async () => {
  const { loss, outputs, targets } = cases[0]!;
  const twice = Array.from({ length: rows }, (_, row) => (row < 20 ? [row, row] : [row])).flat();
  const repeated = new LinearProbe(engine, {
    features: Float32Array.from(
      twice.flatMap((row) => [...features.subarray(row * width, (row + 1) * width)]),
    ),
    width,
    targets: twice.map((row) => targets[row]!),
    outputs,
    loss,
  });
  const rowWeights = targets.map((_, row) => (row < 20 ? 2 : 1));
  const weighted = new LinearProbe(engine, { features, width, targets, outputs, loss, rowWeights });
  const [a, b] = await Promise.all([repeated.fit([1]), weighted.fit([1])]);
  const [x, y] = [scoresOf(a[0]!, outputs), scoresOf(b[0]!, outputs)];
  // Standardization differs, because it does not count weights.
  x.forEach((score, i) => {
    expect(Math.abs(score - y[i]!)).toBeLessThan(0.1);
  });
});

it('fits sets of labels, and ignores a constant feature', async () => {
  const random = new Random(1, 'features');
  const x = Float32Array.from({ length: 200 * 3 }, (_, at) => (at % 3 === 2 ? 7 : random.normal()));
  const targets = Array.from({ length: 400 }, (_, at) => Number(x[3 * Math.floor(at / 2) + (at % 2)]! > 0));
  const probe = new LinearProbe(engine, { features: x, width: 3, targets, outputs: 2, loss: 'sigmoid' });
  const [layer] = await probe.fit([1]);
  for (const k of [0, 1]) {
    expect(layer!.weight[3 * k + k]).toBeGreaterThan(1);
    expect(Math.abs(layer!.weight[3 * k + 1 - k]!)).toBeLessThan(1);
    // Rounding of the mean leaves a feature that is nearly 0.
    expect(Math.abs(layer!.weight[3 * k + 2]!)).toBeLessThan(1e-6);
  }
});
