import type { Value } from '../../graph/graph.ts';

/**
 * Whether the engine copies the integers into an order that its kernels prefer: `alone` where that gains some percent, which is
 * worth no copy to each of several processes that could share the file's.
 */
export type Packing = 'alone' | 'never';

/** A rounded form of the weights of linear modules, in place of the checkpoint's own. */
export interface FrozenBase {
  /** The modules whose weights have this form; all others have their weights as the checkpoint does. */
  readonly paths: ReadonlySet<string>;
  /** The weight whose product gives the logits over words: graphs that generate read it in this form, others do not. */
  readonly words?: string;
  readonly packing: Packing;
  /**
   * x Wᵀ with the weight of the module `path` [outFeatures, in]; x [rows, in].
   *
   * @param generates whether the graph is one that generates: it reads few rows, and is never differentiated
   */
  product(path: string, x: Value, outFeatures: number, generates: boolean): Value;
}

/** End the names of the two tensors that take the place of a weight: its integers and their scales. */
export const INTEGERS = '.integers';
export const SCALES = '.scales';
