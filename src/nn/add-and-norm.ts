import { add } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Network, Sublayer, SublayerEnd } from './network.ts';

/**
 * The end of a post-norm sublayer: the norm of output plus residual, [rows, width].
 *
 * @param module the module with the output h, dropout included
 */
export function addAndNorm(
  module: Network,
  kind: Sublayer['kind'],
  h: Value,
  end: Required<SublayerEnd>,
): Value {
  return end.norm(add(module.sublayer(kind, h, end), end.residual));
}
