import type { Value } from '../graph/graph.ts';
import { weightMemory } from './weight-memory.ts';

/** Base models of 100 million parameters stay below it, with a copy for either direction; larger ones do not. */
const MOST_BYTES = 1.5 * 2 ** 30;

/**
 * Whether the products of a session copy their frozen matrices into the kernels' own order.
 *
 * @param base whether its base is kept for that; of float32, where nothing is said, it is done if `wanted` and not too large
 */
export function packsWeights(outputs: readonly Value[], base: boolean | undefined, wanted: boolean): boolean {
  return base ?? (wanted && weightMemory([{ outputs, packed: true }]) <= MOST_BYTES);
}
