import { concat, input, reshape } from '../../engine/graph/build.ts';
import { type Dimension, multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import type { Graph, Value } from '../../engine/graph/graph.ts';

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

/** Prefixes of the cache's tensors: `past.` for inputs, `present.` for outputs. */
export const PAST = 'past.';
export const PRESENT = 'present.';

/** A tensor of the cache, [tokens, batch, width], as an input and an output of a graph. */
export interface CacheEntry {
  name: string;
  width: number;
}

/**
 * Keys and values of the tokens that a decoder has read, as inputs and outputs of its graph. So each token is computed
 * once. Attention passes in its new keys and values and gets the keys and values of all tokens. The graph outputs only
 * the new ones, and the caller appends them to the earlier ones. Otherwise, each token would cost a copy of the cache.
 */
export class KeyValueCache implements AttentionCache {
  /** The number of tokens read before. It may be 0 at run time. */
  readonly past: Dimension = symbol('past');
  /** Keys and values that grow with every token. */
  readonly entries: CacheEntry[] = [];
  /**
   * Keys and values of the encoder's output. They are outputs of the encoder's graph and inputs of the decoder's graph.
   */
  readonly encoded: CacheEntry[] = [];
  readonly outputs: Record<string, Value> = {};
  readonly #graph: Graph;
  readonly #batch: Dimension;
  readonly #phase: 'encode' | 'decode';

  /** @param phase for an encoder-decoder: `encode` runs the encoder, `decode` takes its keys and values as inputs */
  constructor(graph: Graph, batch: Dimension, phase: 'encode' | 'decode' = 'decode') {
    this.#graph = graph;
    this.#batch = batch;
    this.#phase = phase;
  }

  extend(name: string, rows: Value, tokens: Dimension): Value {
    const width = rows.shape[1] as number;
    this.entries.push({ name, width });
    const past = input(this.#graph, PAST + name, 'float32', [this.past, this.#batch, width]);
    const before = reshape(past, [multiplyDimensions(this.past, this.#batch), width]);
    this.outputs[PRESENT + name] = reshape(rows, [tokens, this.#batch, width]);
    return concat([before, rows], 0);
  }

  keep(name: string, source: Dimension, { width }: HeadShape, rows: () => Value): Value {
    this.encoded.push({ name, width });
    const count = multiplyDimensions(source, this.#batch);
    if (this.#phase === 'decode') {
      const past = input(this.#graph, PAST + name, 'float32', [source, this.#batch, width]);
      return reshape(past, [count, width]);
    }
    const newRows = rows();
    this.outputs[PRESENT + name] = reshape(newRows, [source, this.#batch, width]);
    return newRows;
  }
}
