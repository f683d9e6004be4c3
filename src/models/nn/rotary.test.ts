import { expect, it } from 'vitest';
import { largestDifference } from '../../../scripts/conformance/compare.ts';
import { cpu } from '../../../tests/support/backends.ts';
import { input, matmul, rotate } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { Random } from '../../support/random.ts';
import { type Rotary, rotation } from './rotary.ts';

const [TOKENS, HEADS, SIZE] = [5, 2, 6];

/** Dot products of the first head of one vector, rotated to each of the given positions: [tokens, tokens]. */
async function products(rotary: Rotary, positions: number[]): Promise<number[]> {
  const graph = new Graph();
  const ids = input(graph, 'ids', 'int32', [TOKENS, 1]);
  const rows = input(graph, 'rows', 'float32', [TOKENS, HEADS * SIZE]);
  const turned = rotate(rows, rotation(ids, rotary), SIZE);
  const session = await cpu.open(
    lower({ y: matmul(turned, turned, { transposeB: true }) }, { target: 'cpu' }),
  );
  const row = new Random(1, 'row').normals(HEADS * SIZE, 1);
  const { y } = await session.run({
    ids: { data: Int32Array.from(positions), dims: [TOKENS, 1] },
    rows: {
      data: Float32Array.from(positions.flatMap(() => [...row])),
      dims: [TOKENS, HEADS * SIZE],
    },
  });
  await session.release();
  return [...y!.data];
}

const rotary: Rotary = { frequencies: [1, 0.3, 0.02], scale: 1 };

function expectClose(actual: number[], expected: number[]): void {
  expect(largestDifference(actual, expected)).toBeLessThan(1e-4);
}

it('makes products depend only on the distance of positions', async () => {
  const near = await products(rotary, [0, 1, 3, 3, 7]);
  const [norm, apart] = near as [number, number];
  expect(Math.abs(norm - apart)).toBeGreaterThan(0.1);
  expectClose(await products(rotary, [100, 101, 103, 103, 107]), near);
});

it('slows down all but the fastest if the context is stretched', async () => {
  const dynamic = { ...rotary, stretch: { factor: 2, length: 8 } };
  const within = [0, 1, 3, 3, 7];
  expectClose(await products(dynamic, within), await products(rotary, within));
  // 24 positions stretch the base by 2 · 24 / 8 - 1 = 5. The slowest pair's frequency is divided by all of it.
  const beyond = [0, 1, 3, 3, 23];
  const stretched = { ...rotary, frequencies: [1, 0.3 / Math.sqrt(5), 0.02 / 5] };
  expectClose(await products(dynamic, beyond), await products(stretched, beyond));
});
