import { layerNorm as normalise } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

/** Layer normalisation over the last axis; the module has the parameters `weight` and `bias`. */
export function layerNorm(module: Network, x: Value, epsilon: number): Value {
  const width = [x.shape.at(-1) as number];
  const gain = module.parameter('weight', width);
  const [y] = normalise(x, gain, module.parameter('bias', width), epsilon);
  return module.output(module.path, y, x);
}
