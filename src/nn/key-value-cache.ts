import { concat, input, reshape } from '../graph/build.ts';
import { type Dimension, multiplyDimensions, symbol } from '../graph/dimension.ts';
import type { Graph, Value } from '../graph/graph.ts';
import type { AttentionCache, HeadShape } from './attention-cache.ts';

/** Prefixes of the inputs with the states read before, and of the outputs with the new ones. */
export const PAST = 'past.';
export const PRESENT = 'present.';

/** A part of the cache: an input and an output of a graph, [tokens, batch, width]. */
export interface CacheEntry {
  name: string;
  width: number;
}

/**
 * Keys and values of the tokens that a decoder has read, as inputs and outputs of its graph, so that each token is
 * computed once. Attention passes in its new keys and values and gets the keys and values of all tokens. Only the new
 * ones are outputs of the graph; the caller appends them to the earlier ones. If all were outputs, each token would
 * cost a copy of everything before it.
 */
export class KeyValueCache implements AttentionCache {
  /** The number of tokens read before; may be 0 at run time. */
  readonly past: Dimension = symbol('past');
  /** Keys and values that grow with every token. */
  readonly entries: CacheEntry[] = [];
  /** Keys and values of the encoder's output: outputs of the encoder's graph, inputs of the decoder's. */
  readonly encoded: CacheEntry[] = [];
  readonly outputs: Record<string, Value> = {};
  readonly #graph: Graph;
  readonly #batch: Dimension;
  readonly #phase: 'encode' | 'decode';

  /**
   * @param phase of an encoder-decoder: `encode` runs the encoder, `decode` takes its keys and values as inputs
   */
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
    const made = rows();
    this.outputs[PRESENT + name] = reshape(made, [source, this.#batch, width]);
    return made;
  }
}
