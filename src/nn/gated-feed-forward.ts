import { multiply } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

interface GatedFeedForwardOptions {
  /** Number of features between the two projections. */
  inner: number;
  activation: (x: Value) => Value;
  bias?: boolean;
}

/** Feed-forward network with a gated linear unit (Shazeer, 2020): down_proj(activation(gate_proj x) · up_proj x). */
export function gatedFeedForward(
  module: Network,
  x: Value,
  { inner, activation, bias = false }: GatedFeedForwardOptions,
): Value {
  const [gate, up] = module.linearGroup(['gate_proj', 'up_proj'], x, [inner, inner], { bias });
  const width = x.shape[1] as number;
  return module.linear('down_proj', multiply(activation(gate), up), width, { bias });
}
