import { expect, it } from 'vitest';
import { Random } from '../support/random.ts';
import { linearProbe } from './linear-probe.ts';

const ROWS = 200;
const WIDTH = 6;
const random = new Random(1, 'features');
/** Large means and different scales test that weights and bias are scaled back. */
const features = Float32Array.from(
  { length: ROWS * WIDTH },
  (_, at) => 3 + (1 + (at % WIDTH)) * random.normal(),
);
const row = (i: number) => features.subarray(i * WIDTH, (i + 1) * WIDTH);
const rows = Array.from({ length: ROWS }, (_, i) => i);

function scoresOf({ weight, bias }: ReturnType<typeof linearProbe>, i: number): number[] {
  return Array.from(bias, (start, k) =>
    row(i).reduce((sum, value, j) => sum + value * weight[k * WIDTH + j]!, start),
  );
}

it('finds the classes that are linear in the features', () => {
  const targets = rows.map((i) => (row(i)[0]! > 3 ? 2 : row(i)[1]! > 3 ? 1 : 0));
  const probe = linearProbe({ features, width: WIDTH, targets, outputs: 3, loss: 'softmax' });
  expect([probe.weight.length, probe.bias.length]).toEqual([3 * WIDTH, 3]);
  const right = rows.filter((i) => {
    const scores = scoresOf(probe, i);
    return scores.indexOf(Math.max(...scores)) === targets[i];
  });
  expect(right.length).toBeGreaterThan(0.85 * ROWS);
});

it('finds numbers, and where features tell nothing about the mean', () => {
  const fitted = (targets: number[]) =>
    linearProbe({ features, width: WIDTH, targets, outputs: 1, loss: 'squared' });
  const linear = rows.map((i) => 7 + 0.5 * row(i)[2]!);
  const probe = fitted(linear);
  const error = rows.reduce((sum, i) => sum + (scoresOf(probe, i)[0]! - linear[i]!) ** 2, 0) / ROWS;
  // The targets have variance 2.25. The penalty leaves a small error.
  expect(error).toBeLessThan(0.1);
  const noise = new Random(2, 'noise');
  const nothing = fitted(rows.map(() => noise.normal()));
  for (const i of rows) expect(Math.abs(scoresOf(nothing, i)[0]!)).toBeLessThan(0.5);
});

it('finds sets of labels', () => {
  const targets = rows.flatMap((i) => [Number(row(i)[0]! > 3), Number(row(i)[1]! > 3)]);
  const probe = linearProbe({ features, width: WIDTH, targets, outputs: 2, loss: 'sigmoid' });
  const right = rows.filter((i) => scoresOf(probe, i).every((s, k) => s > 0 === (targets[2 * i + k] === 1)));
  expect(right.length).toBeGreaterThan(0.85 * ROWS);
});
