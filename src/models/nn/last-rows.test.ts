import { describe, expect, it } from 'vitest';
import { cpu, wasm } from '../../../tests/support/backends.ts';
import { gather, input } from '../../engine/graph/build.ts';
import { symbol } from '../../engine/graph/dimension.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { lastOfToken, lastTokenRows } from './last-rows.ts';

// One column per example: no padding, padding at the end, padding at the start, unmasked padding, only padding.
const IDS = [
  [5, 5, 9, 5, 9],
  [6, 6, 9, 9, 9],
  [7, 9, 6, 7, 9],
  [8, 9, 5, 9, 9],
];
// One row per example.
const MASK = [
  [1, 1, 1, 1],
  [1, 1, 0, 0],
  [0, 0, 1, 1],
  [1, 1, 1, 1],
  [1, 1, 1, 1],
];
const EXAMPLES = MASK.length;

describe.each([cpu, wasm])('the last token of each example on $name', ({ open, target }) => {
  it('is the last that is not padding, or that has an id', async () => {
    const graph = new Graph();
    const [sequence, batch] = [symbol('sequence'), symbol('batch')];
    const inputIds = input(graph, 'ids', 'int32', [sequence, batch]);
    const attentionMask = input(graph, 'mask', 'int32', [batch, sequence]);
    const hidden = input(graph, 'hidden', 'float32', [20, 1]);
    const outputs = {
      byBoth: gather(hidden, lastTokenRows({ inputIds, attentionMask }, 9)),
      byMask: gather(hidden, lastTokenRows({ inputIds, attentionMask }, undefined)),
      ofSix: lastOfToken(hidden, inputIds, 6),
    };
    const session = await open(lower(outputs, { target }));
    const numbers = Float32Array.from({ length: 20 }, (_, row) => row);
    const results = await session.run({
      ids: { data: Int32Array.from(IDS.flat()), dims: [4, EXAMPLES] },
      mask: { data: Int32Array.from(MASK.flat()), dims: [EXAMPLES, 4] },
      hidden: { data: numbers, dims: [20, 1] },
    });
    await session.release();
    const positions = Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [
        name,
        Array.from(data, (row) => Math.floor(row / EXAMPLES)),
      ]),
    );
    expect(positions).toEqual({ byBoth: [3, 1, 3, 2, 0], byMask: [3, 1, 3, 3, 3], ofSix: [1, 1, 2, 0, 0] });
    results.byBoth!.data.forEach((row, example) => {
      expect(row % EXAMPLES).toBe(example);
    });
  });
});
