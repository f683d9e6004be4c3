import { constant, layerNorm as normalize } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Network } from './network.ts';

/** Layer normalization over the last axis. The module has the parameter `weight` and, by default, `bias`. */
export function layerNormModule(module: Network, x: Value, epsilon: number, hasBias = true): Value {
  const width = [x.shape.at(-1) as number];
  const gain = module.parameter('weight', width);
  const shift = hasBias
    ? module.parameter('bias', width)
    : constant(module.graph, new Array<number>(width[0]!).fill(0));
  const [y] = normalize(x, gain, shift, epsilon);
  return module.output(module.path, y, x);
}
