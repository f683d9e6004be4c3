import type { Value } from '../../../engine/graph/graph.ts';

/**
 * Whether the engine copies the integers into the layout that its kernels prefer. `alone`: only if a single process
 * uses the weights. Several processes share the memory of the file, and the copies are only a few percent faster.
 */
export type Packing = 'alone' | 'never';

/** Weights of linear modules in a rounded form, which replaces the checkpoint's weights. */
export interface FrozenBase {
  /** The modules with rounded weights. All others use the checkpoint's weights. */
  readonly paths: ReadonlySet<string>;
  /** Path of the weight that produces the logits of words. Only graphs that generate text read its rounded form. */
  readonly words?: string;
  readonly packing: Packing;
  /**
   * Returns x Wᵀ for x [rows, in] and the weight W of the module `path`, with `outFeatures` rows.
   *
   * @param generates whether the graph generates text. Such a graph reads few rows and is never differentiated.
   */
  product(path: string, x: Value, outFeatures: number, generates: boolean): Value;
}

/** Suffixes of the two tensors that replace a weight: its integers and their scales. */
export const INTEGERS = '.integers';
export const SCALES = '.scales';
/** Suffix of the tensor with the norm of each row of a weight. The norms cannot be computed from the integers. */
export const NORMS = '.norms';
