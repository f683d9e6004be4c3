import type { Value } from '../graph/graph.ts';
import { weightMemory } from './weight-memory.ts';

/** Base models of 100 million parameters stay below it, with a copy for either direction; larger ones do not. */
const MOST_BYTES = 1.5 * 2 ** 30;

/** Whether a training graph over a float32 base is worth the copies of its frozen matrices in the kernels' own order. */
export function packsWeights(outputs: readonly Value[]): boolean {
  return weightMemory([{ outputs, packed: true }]) <= MOST_BYTES;
}
