import { add, divide, multiply, sqrt, sum } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

/**
 * Root mean square normalisation (Zhang and Sennrich, 2019) over the last axis, times `offset` plus the module's
 * parameter `weight`.
 */
export function rmsNorm(module: Network, x: Value, epsilon: number, offset = 0): Value {
  const width = x.shape.at(-1) as number;
  const meanSquare = multiply(sum(multiply(x, x), [x.shape.length - 1], true), 1 / width);
  // The inverse is multiplied, because the derivative of a product only reads x, which is kept anyway.
  const inverse = divide(1, sqrt(add(meanSquare, epsilon)));
  return multiply(multiply(x, inverse), add(module.parameter('weight', [width]), offset));
}
