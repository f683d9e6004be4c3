import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';

/**
 * Where a decoder's attention keeps keys and values. What it gets back is rows [tokens · batch, width], sequence-major, or
 * heads that are split already: [batch · heads, tokens, headSize].
 */
export interface AttentionCache {
  /** How many tokens were read before. */
  readonly past: Dimension;
  /**
   * Keys or values of the tokens of the past, then `rows` [tokens · batch, width].
   *
   * @param name the module's path, then `key` or `value`
   */
  extend(name: string, rows: Value, tokens: Dimension, headSize: number): Value;
  /** Keys or values that `rows` computes of the encoder's output, [source · batch, width]. */
  keep(name: string, source: Dimension, heads: HeadShape, rows: () => Value): Value;
  /** The encoder's output, [source · batch, width], where it is not what `build` computes. */
  states?(build: () => Value): Value;
}

/** How the width of keys and values is made up. */
export interface HeadShape {
  width: number;
  headSize: number;
}
