import { describe, expect, it } from 'vitest';
import { cpu } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { binaryCrossEntropy, crossEntropy } from './losses.ts';

describe('binary cross-entropy', () => {
  it('has the derivative sigmoid(x) - target, at 0 too', async () => {
    const graph = new Graph();
    const logits = input(graph, 'logits', 'float32', [1, 4]);
    const targets = input(graph, 'targets', 'float32', [1, 4]);
    const [slope] = gradients(binaryCrossEntropy(logits, targets), [logits]);
    const session = await cpu.open(lower({ slope: slope! }, { target: 'cpu' }));
    const row = (...elements: number[]) => ({ data: Float32Array.from(elements), dims: [1, 4] });
    const actual = await session.run({ logits: row(0, 0, -200, 200), targets: row(0, 1, 1, 1) });
    await session.release();
    expect(actual.slope).toEqual(row(0.5 / 4, -0.5 / 4, -1 / 4, 0));
  });
});

describe('cross-entropy with class weights', () => {
  it.each([0, 0.1])(
    'is the mean of the rows, weighted by the weights of their labels (label smoothing %d)',
    async (smoothing) => {
      const [weights, labels] = [
        [2, 0.5, 1],
        [0, 1, -100, 2],
      ];
      const rows = [
        [1, -1, 0.5],
        [0, 2, 1],
        [3, 1, 2],
        [-1, 0.5, 0],
      ];
      const graph = new Graph();
      const x = input(graph, 'x', 'float32', [4, 3]);
      const value = crossEntropy(x, input(graph, 'labels', 'int32', [4]), smoothing, weights);
      const [slope] = gradients(value, [x]);
      const session = await cpu.open(lower({ value, slope: slope! }, { target: 'cpu' }));
      const feeds = {
        x: { data: Float32Array.from(rows.flat()), dims: [4, 3] },
        labels: { data: Int32Array.from(labels), dims: [4] },
      };
      const actual = await session.run(feeds);
      await session.release();
      const used = rows.flatMap((row, i) => (labels[i]! < 0 ? [] : [{ row, label: labels[i] }]));
      const total = used.reduce((sum, { label }) => sum + weights[label!]!, 0);
      const expected = used.reduce((sum, { row, label }) => {
        const normalizer = Math.log(row.reduce((all, logit) => all + Math.exp(logit), 0));
        const mean = row.reduce((all, logit) => all + normalizer - logit, 0) / 3;
        return sum + weights[label!]! * ((1 - smoothing) * (normalizer - row[label!]!) + smoothing * mean);
      }, 0);
      expect(actual.value!.data[0]).toBeCloseTo(expected / total, 6);
      const powers = rows[0]!.map(Math.exp);
      const share = powers[1]! / (powers[0]! + powers[1]! + powers[2]!);
      expect(actual.slope!.data[1]).toBeCloseTo((2 / total) * (share - smoothing / 3), 6);
      expect([...actual.slope!.data.subarray(6, 9)].map(Math.abs)).toEqual([0, 0, 0]);
    },
  );
});

describe('cross-entropy', () => {
  const LABELS = { data: Int32Array.of(3, -100, 0, 4), dims: [4] };
  const logits = Float32Array.from(
    { length: 20 },
    (_, i) => 2 * Math.sin(1 + 3 * Math.floor(i / 5) + (i % 5)),
  );

  // Computed by transformers' LabelSmoother in float64 from the same logits. Our results are float32.
  it.each([
    [
      0,
      1.9198420630444695,
      [0.135506117830005, 0.1551930263415109, 0.03339194942807325, -0.32779069938834826],
    ],
    [0.1, 1.9789507973089464, [0.12883945133, 0.14852635988920537, 0.02672528268083, -0.30112403286968975]],
    [
      0.6,
      2.2744945282359765,
      [0.0955061207535, 0.11519303010107572, -0.00660805198504, -0.16779070198418264],
    ],
  ])('with label smoothing %d equals LabelSmoother', async (smoothing, loss, slopes) => {
    const graph = new Graph();
    const x = input(graph, 'x', 'float32', [4, 5]);
    const value = crossEntropy(x, input(graph, 'labels', 'int32', [4]), smoothing);
    const [slope] = gradients(value, [x]);
    const session = await cpu.open(lower({ value, slope: slope! }, { target: 'cpu' }));
    const actual = await session.run({ x: { data: logits, dims: [4, 5] }, labels: LABELS });
    await session.release();
    expect(actual.value!.data[0]).toBeCloseTo(loss, 6);
    slopes.forEach((expected, i) => {
      expect(actual.slope!.data[i]).toBeCloseTo(expected, 6);
    });
    // A row without a label has no gradient.
    expect([...actual.slope!.data.subarray(5, 10)].map(Math.abs)).toEqual([0, 0, 0, 0, 0]);
  });
});
