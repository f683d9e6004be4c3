import { describe, expect, it } from 'vitest';
import { cpu, wasm } from '../../../../tests/support/backends.ts';
import { input } from '../../../engine/graph/build.ts';
import { symbol } from '../../../engine/graph/dimension.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { positionIds } from './definition.ts';

// One example per column: padding after, before and in between, no padding, and only padding.
const IDS = [
  [5, 1, 5, 5, 1],
  [5, 1, 1, 6, 1],
  [6, 7, 7, 0, 1],
  [1, 5, 7, 5, 1],
];
const POSITIONS = [
  [2, 1, 2, 2, 1],
  [3, 1, 1, 3, 1],
  [4, 2, 3, 4, 1],
  [1, 3, 4, 5, 1],
];

describe.each([cpu, wasm])('positions on $name', ({ open, target }) => {
  it('count the tokens that are not padding, starting after its id', async () => {
    const ids = input(new Graph(), 'ids', 'int32', [symbol('sequence'), symbol('batch')]);
    const session = await open(lower({ positions: positionIds(ids, 1) }, { target }));
    const { positions } = await session.run({ ids: { data: Int32Array.from(IDS.flat()), dims: [4, 5] } });
    await session.release();
    expect(positions!.data).toEqual(Int32Array.from(POSITIONS.flat()));
  });
});
