import type { GraphNode, Value } from '../engine/graph/graph.ts';
import { hasBlockKernel } from '../engine/graph/ops.ts';
import { reachable } from '../engine/graph/print.ts';
import type { Packing } from '../models/nn/base/frozen-base.ts';
import { weightMemory } from './weight-memory.ts';

/**
 * Limit for what copies take beyond the weights. Training has one copy each for the forward and the backward pass, so
 * encoders of up to about 200 million parameters stay below it. Generation copies most weights instead of mapping them.
 */
const MAX_EXTRA = 0.75 * 2 ** 30;
/** Limit for weights and copies. Copies cannot leave the memory, as mapped weights can. */
const MAX_BYTES = 5 * 2 ** 30;

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
  if (packing === 'alone') return true;
  if (!wanted) return false;
  const bytes = weightMemory([{ outputs, packed: true }]);
  return bytes <= MAX_BYTES && bytes - weightMemory([{ outputs, packed: false }]) <= MAX_EXTRA;
}

function isBlockKernel(node: GraphNode): boolean {
  return node.op === 'blockMatmul' && hasBlockKernel((node as GraphNode<'blockMatmul'>).attributes);
}
