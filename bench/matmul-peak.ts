import { input, matmul } from '../src/engine/graph/build.ts';
import { Graph } from '../src/engine/graph/graph.ts';
import { lower } from '../src/engine/onnx/lower.ts';
import { createSession } from '../src/engine/runtime/node/create-session.ts';

const SHAPE = { rows: 4096, inner: 768, columns: 3072 };

/** The machine's peak rate of float32 matrix products in the engine, in GFLOP/s: the best of a few runs. */
export async function matmulPeak(): Promise<number> {
  const { rows, inner, columns } = SHAPE;
  const graph = new Graph();
  const a = input(graph, 'a', 'float32', [rows, inner]);
  const b = input(graph, 'b', 'float32', [inner, columns]);
  const session = await createSession(lower({ y: matmul(a, b) }, { target: 'cpu' }), { device: 'cpu' });
  const filled = (dims: number[]) => ({ data: new Float32Array(dims[0]! * dims[1]!).fill(0.5), dims });
  const feeds = { a: filled([rows, inner]), b: filled([inner, columns]) };
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - started);
  }
  await session.release();
  return (2 * rows * inner * columns) / best / 1e6;
}
