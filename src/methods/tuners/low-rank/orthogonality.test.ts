import { describe, expect, it } from 'vitest';
import { cpu } from '../../../../tests/support/backends.ts';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { input } from '../../../engine/graph/build.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { elementCount } from '../../../support/arrays.ts';
import { Random } from '../../../support/random.ts';
import type { FactorGroup } from './factors.ts';
import { type Orthogonality, orthogonalityTerm } from './orthogonality.ts';

/** Two factors A [3, 5] and one B [4, 3]. */
const GROUPS: FactorGroup[] = [
  { side: 'rows', members: ['a', 'b'].map((name) => ({ name: `${name}.lora_A`, shape: [3, 5] })) },
  { side: 'columns', members: [{ name: 'a.lora_B', shape: [4, 3] }] },
];
const COUNT = 4;

/** The term by its definition, in 64 bits. Each factor is a list of the vectors that should be orthonormal. */
function expected(factors: number[][][], form: Orthogonality): number {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const parts = factors.map((vectors) => {
    const gram = vectors.map((x) => vectors.map((y) => dot(x, y)));
    const cells = gram.flatMap((row, i) => row.map((value, j) => ({ value, i, j })));
    if (form === 'cosine') {
      const different = cells.filter(({ i, j }) => i !== j);
      const cosines = different.map(({ value, i, j }) => {
        const lengths = Math.sqrt(gram[i]![i]!) * Math.sqrt(gram[j]![j]!);
        return Math.abs(value) / (lengths + 1e-30);
      });
      return cosines.reduce((a, b) => a + b) / different.length;
    }
    const squared = cells.reduce((sum, { value, i, j }) => sum + (value - Number(i === j)) ** 2, 0);
    return form === 'mean-norm' ? Math.sqrt(squared) : squared;
  });
  const total = parts.reduce((a, b) => a + b);
  return form === 'sum-squared' ? total : total / COUNT;
}

/** Splits the flat vector into factors, each as a list of the vectors that should be orthonormal. */
function factorsIn(flat: ArrayLike<number>): number[][][] {
  let start = 0;
  return GROUPS.flatMap(({ side, members }) =>
    members.map(({ shape: [height, width] }) => {
      const at = (i: number, j: number) => flat[start + i * width! + j]!;
      const rows = Array.from({ length: height! }, (_, i) =>
        Array.from({ length: width! }, (_, j) => at(i, j)),
      );
      start += height! * width!;
      return side === 'rows' ? rows : rows[0]!.map((_, j) => rows.map((row) => row[j]!));
    }),
  );
}

async function computed(flat: Float32Array, form: Orthogonality) {
  const graph = new Graph();
  const { views, build } = orthogonalityTerm(GROUPS, form, 1, COUNT);
  const inputs = views.map((shape, i) => input(graph, `view${i}`, 'float32', shape));
  const value = build(inputs);
  const slopes = gradients(value, inputs);
  const outputs = { value, ...Object.fromEntries(slopes.map((slope, i) => [`slope${i}`, slope])) };
  const session = await cpu.open(lower(outputs, { target: 'cpu' }));
  let start = 0;
  const feeds = views.map((shape, i) => {
    const end = start + elementCount(shape);
    const data = flat.slice(start, end);
    start = end;
    return [`view${i}`, { data, dims: [...shape] }];
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  const slope = slopes.flatMap((_, i) => [...(results[`slope${i}`]!.data as Float32Array)]);
  return { value: results.value!.data[0] as number, slope };
}

describe.each(['mean-norm', 'sum-squared', 'cosine'] as const)('%s', (form) => {
  const flat = new Random(3, form).normals(42, 0.5);

  it('equals its definition, and so does its gradient', async () => {
    const { value, slope } = await computed(flat, form);
    expect(value).toBeCloseTo(expected(factorsIn(flat), form), 5);
    const shift = 1e-6;
    const slopes = Array.from(flat, (_, i) => {
      const at = (by: number) =>
        expected(factorsIn(Float64Array.from(flat, (x, k) => x + Number(k === i) * by)), form);
      return (at(shift) - at(-shift)) / (2 * shift);
    });
    // The tolerance is a few float32 rounding errors.
    const largest = Math.max(...slopes.map(Math.abs));
    slope.forEach((actual, i) => expect(Math.abs(actual - slopes[i]!)).toBeLessThan(1e-5 * largest));
  });

  it('has a gradient if a factor is zero, as B is at the start', async () => {
    const start = flat.map((value, i) => (i < 30 ? value : 0));
    const { value, slope } = await computed(start, form);
    expect(value).toBeCloseTo(expected(factorsIn(start), form), 5);
    expect(slope.every(Number.isFinite)).toBe(true);
    expect(slope.slice(30).every((part) => part === 0)).toBe(true);
  });
});

it('treats factors that are orthonormal up to rounding as orthonormal', async () => {
  const [a, b, c] = [0.6, 0.8, 0].map(Math.fround) as [number, number, number];
  // Each factor is a rotation in 32 bits, with columns of zeros or a row of zeros added.
  const rotation = [a, b, c, -b, a, c, c, c, 1];
  const wide = [0, 3, 6].flatMap((row) => [...rotation.slice(row, row + 3), 0, 0]);
  const { value, slope } = await computed(
    Float32Array.from([...wide, ...wide, ...rotation, 0, 0, 0]),
    'mean-norm',
  );
  expect(value).toBe(0);
  expect(slope.every((part) => part === 0)).toBe(true);
});
