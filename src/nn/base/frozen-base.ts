import type { Value } from '../../graph/graph.ts';

/**
 * Whether the engine copies the integers into the layout that its kernels prefer. `alone`: only if a single process
 * uses the weights. Several processes can share the memory of the file, and a gain of a few percent is not worth a copy
 * in each.
 */
export type Packing = 'alone' | 'never';

/** A rounded form of the weights of linear modules, which replaces the checkpoint's weights. */
export interface FrozenBase {
  /** The modules with weights in this form; all others use the checkpoint's weights. */
  readonly paths: ReadonlySet<string>;
  /** The weight of the product that gives the logits over words. Only graphs that generate read it in this form. */
  readonly words?: string;
  readonly packing: Packing;
  /**
   * x Wᵀ with the weight of the module `path` [outFeatures, in]; x [rows, in].
   *
   * @param generates whether the graph generates: then it reads few rows, and is never differentiated
   */
  product(path: string, x: Value, outFeatures: number, generates: boolean): Value;
}

/** Suffixes of the two tensors that replace a weight: its integers and their scales. */
export const INTEGERS = '.integers';
export const SCALES = '.scales';
/** Suffix of the name of a weight's row lengths, which cannot be computed from its integers. */
export const NORMS = '.norms';
