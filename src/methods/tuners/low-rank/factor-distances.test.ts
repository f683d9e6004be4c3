import { expect, it } from 'vitest';
import { ParameterLayout } from '../parameter-layout.ts';
import { factorDistances } from './orthogonality.ts';

const module = (path: string, rank: number) => ({
  path,
  parameter: `${path}.weight`,
  inFeatures: 3,
  outFeatures: 4,
  rank,
  scale: 1,
});

it('measures rows of A and columns of B, and skips modules of rank 0', () => {
  const modules = [module('q', 2), module('k', 0), module('v', 1)];
  const layout = new ParameterLayout(
    modules.flatMap(({ path, rank }) => [
      { name: `${path}.lora_A`, shape: [rank, 3] },
      { name: `${path}.lora_B`, shape: [4, rank] },
    ]),
  );
  const values = Float32Array.from([
    // Rows with squared lengths 1 and 5 and product 2: (5 - 1)² + 2 · 2².
    ...[1, 0, 0],
    ...[2, 1, 0],
    // Orthonormal columns.
    ...[0.6, 0.8],
    ...[0.8, -0.6],
    ...[0, 0],
    ...[0, 0],
    // A row of squared length 1/3, and a row of zeros.
    ...[1 / 3, 1 / 3, 1 / 3],
    ...[0, 0, 0, 0],
  ]);
  const distances = factorDistances(modules, layout, values);
  expect(Object.keys(distances)).toEqual(['q', 'v']);
  const [ofB, ofA] = distances.q!;
  // The columns are rounded to float32.
  expect(ofB).toBeCloseTo(0, 12);
  expect(ofA).toBe(24);
  expect(distances.v).toEqual([1, 0.4444]);
});
