import { layerNorm as normalise } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

/** Layer normalisation over the last axis with the parameters `path.weight` and `path.bias`. */
export function layerNorm(network: Network, path: string, x: Value, epsilon: number): Value {
  const width = [x.shape.at(-1) as number];
  const gain = network.parameter(`${path}.weight`, width);
  return normalise(x, gain, network.parameter(`${path}.bias`, width), epsilon)[0];
}
