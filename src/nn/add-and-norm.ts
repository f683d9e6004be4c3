import { add } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Network, Sublayer, SublayerEnd } from './network.ts';

/**
 * Ends a post-norm sublayer: returns the norm of its output plus the residual, [rows, width].
 *
 * @param module the module that produces the output h, dropout included
 */
export function addAndNorm(
  module: Network,
  kind: Sublayer['kind'],
  h: Value,
  end: Required<SublayerEnd>,
): Value {
  return end.norm(add(module.sublayer(kind, h, end), end.residual));
}
