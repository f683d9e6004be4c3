import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

/**
 * Stores the keys and values of a decoder's attention. It returns rows [tokens · batch, width], sequence-major, or rows
 * already split into heads: [batch · heads, tokens, headSize].
 */
export interface AttentionCache {
  /** The number of tokens read before. */
  readonly past: Dimension;
  /**
   * Appends `rows` [tokens · batch, width] to the cached keys or values and returns all of them.
   *
   * @param name the module's path, then `key` or `value`
   */
  extend(name: string, rows: Value, tokens: Dimension, headSize: number): Value;
  /**
   * Returns keys or values of the encoder's output, [source · batch, width]. `rows` computes them if they are not
   * cached.
   */
  keep(name: string, source: Dimension, heads: HeadShape, rows: () => Value): Value;
  /**
   * Returns the encoder's output, [source · batch, width], if it is already computed. Otherwise, `build` computes it.
   */
  states?(build: () => Value): Value;
}

/** The layout of keys and values: heads and their size. */
export interface HeadShape {
  width: number;
  headSize: number;
}
