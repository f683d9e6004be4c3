import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Random } from '../../../support/random.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { dot64, orthonormalize, principalDirections } from './orthonormal.ts';

const { orthonormal } = JSON.parse(readFileSync('src/methods/tuners/fixtures/beyond.json', 'utf8')) as {
  orthonormal: { rows: number[][]; result: number[][] };
};

it('orthonormalizes rows like LAPACK', () => {
  const rows = orthonormalize(orthonormal.rows.map((row) => Float64Array.from(row)));
  orthonormal.result.forEach((row, i) => {
    row.forEach((value, j) => expect(rows[i]![j]).toBeCloseTo(value, 12));
  });
});

it('drops vectors that depend on earlier ones', () => {
  const [a, b, c] = [
    [2, 0, 0],
    [3, 0, 0],
    [1, 1, 0],
  ].map((row) => Float64Array.from(row));
  expect(orthonormalize([a!, b!, c!])).toEqual([Float64Array.of(1, 0, 0), Float64Array.of(0, 1, 0)]);
});

it('finds singular values and vectors that reproduce the matrix', () => {
  const random = new Random(0, 'test');
  const rows = Array.from({ length: 5 }, () => Float64Array.from({ length: 8 }, () => random.normal()));
  const found = principalDirections(rows.map((row) => row.slice()));
  found.forEach(({ direction: v, strength }, i) => {
    found.forEach(({ direction: w }, j) => expect(dot64(v, w)).toBeCloseTo(Number(i === j), 12));
    // |M v| = σ, and the largest comes first.
    expect(Math.hypot(...rows.map((row) => dot64(row, v)))).toBeCloseTo(strength, 12);
    if (i > 0) expect(strength).toBeLessThanOrEqual(found[i - 1]!.strength);
    expect(Math.max(...v)).toBe(Math.max(...v.map(Math.abs)));
  });
});

it('P and Q start orthonormal, and λ at zero', () => {
  const module = { path: 'm', rank: 3, inFeatures: 7, outFeatures: 5, scale: 1 };
  const settings = { lora_dropout: 0, orth_reg_weight: 0.1 } as const;
  const start = (init: 'normal' | 'orthonormal') => {
    const tuner = new AdaLoraTuner({ ...settings, init }, [module], []);
    const values = tuner.initialValues(4, () => new Float32Array());
    return (['A', 'E', 'B'] as const).map((factor) => tuner.layout.read(values, `m.lora_${factor}`));
  };
  const [a, e, b] = start('orthonormal') as [Float32Array, Float32Array, Float32Array];
  const [normal] = start('normal');
  expect([...e]).toEqual([0, 0, 0]);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const rows = a.slice(7 * i, 7 * i + 7).reduce((sum, x, k) => sum + x * a[7 * j + k]!, 0);
      const columns = [0, 1, 2, 3, 4].reduce((sum, k) => sum + b[3 * k + i]! * b[3 * k + j]!, 0);
      expect(rows).toBeCloseTo(Number(i === j), 6);
      expect(columns).toBeCloseTo(Number(i === j), 6);
    }
  }
  // The first row keeps its direction.
  const length = Math.hypot(...normal!.slice(0, 7));
  a.slice(0, 7).forEach((value, j) => expect(value).toBeCloseTo(normal![j]! / length, 6));
});
