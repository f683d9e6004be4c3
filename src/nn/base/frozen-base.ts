import type { Value } from '../../graph/graph.ts';

/** How the linear weights of a frozen base are kept, where that is not as they are. */
export interface FrozenBase {
  /** The modules whose weights are. */
  readonly paths: ReadonlySet<string>;
  /** Whether its kernels are to copy the integers into an order of their own: those that are slow without. */
  readonly packed: boolean;
  /** x Wᵀ with the weight of the module `path` [outFeatures, in]; x [rows, in]. */
  product(path: string, x: Value, outFeatures: number): Value;
}

/** What stands in a checkpoint in place of a weight: its integers and their scales. */
export const INTEGERS = '.integers';
export const SCALES = '.scales';
