import { describe, expect, it } from 'vitest';
import { add, input, sum } from '../src/engine/graph/build.ts';
import { symbol } from '../src/engine/graph/dimension.ts';
import { Graph } from '../src/engine/graph/graph.ts';
import { lower } from '../src/engine/onnx/lower.ts';
import { cpu, wasm } from './support/backends.ts';

/** The contract of `Session`, for every build of the engine. */
describe.each([cpu, wasm])('a session on $name', ({ open, target }) => {
  const vector = (...elements: number[]) => ({ data: Float32Array.from(elements), dims: [elements.length] });
  const openExample = () => {
    const x = input(new Graph(), 'x', 'float32', [symbol('n')]);
    return open(lower({ next: add(x, 1), total: sum(x, [0]) }, { target }));
  };

  it('computes every output, for any symbolic size', async () => {
    const session = await openExample();
    expect(await session.run({ x: vector(1, 2) })).toEqual({
      next: vector(2, 3),
      total: { data: Float32Array.of(3), dims: [] },
    });
    expect((await session.run({ x: vector(1, 2, 3) })).next).toEqual(vector(2, 3, 4));
    await session.release();
  });

  it('writes an output into given memory', async () => {
    const session = await openExample();
    const next = vector(0, 0);
    const results = await session.run({ x: vector(5, 6) }, { next });
    expect(next).toEqual(vector(6, 7));
    expect(results.next!.data).toBe(next.data);
    expect(results.total!.data).toEqual(Float32Array.of(11));
    await session.release();
  });

  it('rejects memory of another size', async () => {
    const session = await openExample();
    await expect(session.run({ x: vector(5, 6) }, { next: vector(0, 0, 0) })).rejects.toThrow(/next/);
    await session.release();
  });

  it('reports a missing input', async () => {
    const session = await openExample();
    await expect(session.run({})).rejects.toThrow(/\bx\b/);
    await session.release();
  });

  it('rejects an invalid model', async () => {
    await expect(open(Uint8Array.of(1, 2, 3))).rejects.toThrow();
  });
});
