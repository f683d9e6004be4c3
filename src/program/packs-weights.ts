import type { GraphNode, Value } from '../graph/graph.ts';
import { hasBlockKernel } from '../graph/has-block-kernel.ts';
import { reachable } from '../graph/print.ts';
import type { Packing } from '../nn/base/frozen-base.ts';
import { weightMemory } from './weight-memory.ts';

/**
 * Limit for the weights and their copies. With one copy each for the forward and backward pass, models of up to about
 * 100 million parameters stay below it.
 */
const MAX_BYTES = 1.5 * 2 ** 30;

/**
 * Whether the products of a session copy their frozen matrices into the kernels' layout. Block kernels always do,
 * because otherwise they would convert every matrix to float32 for each product.
 *
 * @param packing packing of the session's base. A float32 base has none: it is packed if `wanted` and not too large.
 * @param sharesHost whether other processes of this host use the same weights, which all of them then map
 */
export function packsWeights(
  outputs: readonly Value[],
  { packing, wanted, sharesHost = false }: { packing?: Packing; wanted: boolean; sharesHost?: boolean },
): boolean {
  if (reachable(outputs).some(isBlockKernel)) return true;
  if (packing === 'never' || sharesHost) return false;
  return packing === 'alone' || (wanted && weightMemory([{ outputs, packed: true }]) <= MAX_BYTES);
}

function isBlockKernel(node: GraphNode): boolean {
  return node.op === 'blockMatmul' && hasBlockKernel((node as GraphNode<'blockMatmul'>).attributes);
}
