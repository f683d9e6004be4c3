import { describe, expect, it } from 'vitest';
import { cpu } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input } from '../../engine/graph/build.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import type { HostTensor } from '../../engine/runtime/session.ts';
import { Random } from '../../support/random.ts';
import { classContrast, labelSetContrast } from './sequence-loss.ts';

const [TEXTS, WIDTH, TEMPERATURE] = [6, 5, 0.1];

/** Equation 2 of Khosla et al., written out: the mean over texts that share a label with another one. */
function contrast(
  vectors: readonly (readonly number[])[],
  isAlike: (i: number, j: number) => boolean,
): number {
  const units = vectors.map((row) => row.map((x) => x / Math.hypot(...row)));
  const score = (i: number, j: number) =>
    units[i]!.reduce((sum, x, k) => sum + x * units[j]![k]!, 0) / TEMPERATURE;
  const losses = units.flatMap((_, i) => {
    const others = units.flatMap((_, j) => (j === i ? [] : [j]));
    const partners = others.filter((j) => isAlike(i, j));
    if (partners.length === 0) return [];
    const all = Math.log(others.reduce((sum, j) => sum + Math.exp(score(i, j)), 0));
    return [partners.reduce((sum, j) => sum + all - score(i, j), 0) / partners.length];
  });
  return losses.reduce((a, b) => a + b, 0) / Math.max(1, losses.length);
}

async function computed(build: (vectors: Value) => Value, vectors: number[][], labels: HostTensor) {
  const graph = new Graph();
  const x = input(graph, 'x', 'float32', [TEXTS, WIDTH]);
  const loss = build(x);
  const [slope] = gradients(loss, [x]);
  const session = await cpu.open(lower({ loss, slope: slope! }, { target: 'cpu' }));
  const feeds = { x: { data: Float32Array.from(vectors.flat()), dims: [TEXTS, WIDTH] }, labels };
  const found = await session.run(feeds);
  await session.release();
  return { loss: found.loss!.data[0]!, slope: found.slope!.data };
}

const random = new Random(3, 'contrast');
const VECTORS = Array.from({ length: TEXTS }, () => Array.from(random.normals(WIDTH, 1)));

describe('the contrastive loss', () => {
  it.each([
    ['of classes', [0, 1, 0, 2, 1, 0]],
    ['without two texts of a class, which is 0', [0, 1, 2, 3, 4, 5]],
  ])('%s is that of the paper, with its derivative', async (_, classes) => {
    const labels = { data: Int32Array.from(classes), dims: [TEXTS] };
    const isAlike = (i: number, j: number) => classes[i] === classes[j];
    const { loss, slope } = await computed(classContrast, VECTORS, labels);
    // Cosines divided by 0.1 have six digits in float32.
    expect(loss).toBeCloseTo(contrast(VECTORS, isAlike), 4);
    const step = 1e-4;
    VECTORS.forEach((row, i) => {
      row.forEach((value, k) => {
        const at = (changed: number) =>
          contrast(
            VECTORS.map((row, r) => row.map((x, c) => (r === i && c === k ? changed : x))),
            isAlike,
          );
        const difference = (at(value + step) - at(value - step)) / (2 * step);
        expect(slope[i * WIDTH + k]).toBeCloseTo(difference, 3);
      });
    });
  });

  it('of sets of labels compares texts that share one', async () => {
    const sets = [[0, 1], [1], [2], [], [0, 2], [3]];
    const data = Float32Array.from(
      sets.flatMap((set) => [0, 1, 2, 3].map((id) => (set.includes(id) ? 1 : 0))),
    );
    const { loss } = await computed((x) => labelSetContrast(x, 4), VECTORS, { data, dims: [TEXTS, 4] });
    const isAlike = (i: number, j: number) => sets[i]!.some((id) => sets[j]!.includes(id));
    expect(loss).toBeCloseTo(contrast(VECTORS, isAlike), 4);
  });
});
