import { multiply } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

export interface GatedFeedForwardOptions {
  /** Features between the two projections. */
  inner: number;
  activation: (x: Value) => Value;
  bias?: boolean;
}

/** Feed-forward network with a gated linear unit (Shazeer, 2020): down_proj(activation(gate_proj x) · up_proj x). */
export function gatedFeedForward(
  network: Network,
  path: string,
  x: Value,
  { inner, activation, bias = false }: GatedFeedForwardOptions,
): Value {
  const projections = [`${path}.gate_proj`, `${path}.up_proj`];
  const [gate, up] = network.linearGroup(projections, x, [inner, inner], { bias });
  const width = x.shape[1] as number;
  return network.linear(`${path}.down_proj`, multiply(activation(gate), up), width, { bias });
}
