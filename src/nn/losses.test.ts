import { describe, expect, it } from 'vitest';
import { cpu } from '../../tests/support/backends.ts';
import { gradients } from '../autodiff/gradients.ts';
import { input } from '../graph/build.ts';
import { Graph } from '../graph/graph.ts';
import { lower } from '../onnx/lower.ts';
import { binaryCrossEntropy } from './losses.ts';

describe('binary cross-entropy', () => {
  it('has the derivative sigmoid(x) - target, at 0 too', async () => {
    const graph = new Graph();
    const logits = input(graph, 'logits', 'float32', [1, 4]);
    const targets = input(graph, 'targets', 'float32', [1, 4]);
    const [slope] = gradients(binaryCrossEntropy(logits, targets), [logits]);
    const session = await cpu.open(lower({ slope }, { target: 'cpu' }));
    const row = (...elements: number[]) => ({ data: Float32Array.from(elements), dims: [1, 4] });
    const actual = await session.run({ logits: row(0, 0, -200, 200), targets: row(0, 1, 1, 1) });
    await session.release();
    expect(actual.slope).toEqual(row(0.5 / 4, -0.5 / 4, -1 / 4, 0));
  });
});
