import { slice } from '../graph/build.ts';
import { addDimensions, type Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import { forEveryText } from './for-every-text.ts';
import type { Network } from './network.ts';

/**
 * Looks up consecutive rows of the module's table `weight`, from row `first` on: one per position, the same for every
 * example. Returns [sequence · batch, width].
 */
export function absolutePositions(
  module: Network,
  [rows, width]: readonly [number, number],
  { batch, sequence }: { batch: Dimension; sequence: Dimension },
  first: Dimension = 0,
): Value {
  const table = module.parameter('weight', [rows, width]);
  const used = slice(table, 0, first, addDimensions(first, sequence));
  return forEveryText(used, batch);
}
