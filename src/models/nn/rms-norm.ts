import { add, rmsNorm as normalize } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Network } from './network.ts';

/**
 * Root mean square normalization (Zhang and Sennrich, 2019) over the last axis, times `offset` plus the module's
 * parameter `weight`.
 */
export function rmsNormModule(module: Network, x: Value, epsilon: number, offset = 0): Value {
  const width = x.shape.at(-1) as number;
  return normalize(x, add(module.parameter('weight', [width]), offset), epsilon);
}
