import { concat, input, reshape } from '../graph/build.ts';
import { type Dimension, multiplyDimensions, symbol } from '../graph/dimension.ts';
import type { Graph, Value } from '../graph/graph.ts';

/** Names of the inputs that hold what was read before, and of the outputs that hold what is read now. */
export const PAST = 'past.';
export const PRESENT = 'present.';

/** A part of the cache: an input and an output of a graph, [tokens, batch, width]. */
export interface CacheEntry {
  name: string;
  width: number;
}

/**
 * Keys and values of the tokens that a decoder has read, as inputs and outputs of its graph, so that each token is
 * computed once. Attention hands its new keys and values in and gets all of them back; the graph gives out the new ones
 * alone, which whoever runs it puts behind those it has: to copy all of them for every token would cost more with each.
 */
export class KeyValueCache {
  /** How many tokens were read before; may be 0 at run time. */
  readonly past: Dimension = symbol('past');
  /** What grows with every token read. */
  readonly entries: CacheEntry[] = [];
  /** What depends on the encoder alone: computed by the graph of the prompt, an input of the graph that goes on. */
  readonly encoded: CacheEntry[] = [];
  readonly outputs: Record<string, Value> = {};
  readonly #graph: Graph;
  readonly #batch: Dimension;
  readonly #phase: 'encode' | 'decode';

  /** @param phase of an encoder-decoder: whether the encoder runs, or its keys and values come from where it ran */
  constructor(graph: Graph, batch: Dimension, phase: 'encode' | 'decode' = 'decode') {
    this.#graph = graph;
    this.#batch = batch;
    this.#phase = phase;
  }

  /** Rows [tokens · batch, width] of a module's keys or values: those of the past, then `rows`. */
  extend(name: string, rows: Value, tokens: Dimension): Value {
    const width = rows.shape[1] as number;
    this.entries.push({ name, width });
    const past = input(this.#graph, PAST + name, 'float32', [this.past, this.#batch, width]);
    const before = reshape(past, [multiplyDimensions(this.past, this.#batch), width]);
    this.outputs[PRESENT + name] = reshape(rows, [tokens, this.#batch, width]);
    return concat([before, rows], 0);
  }

  /** Rows [source · batch, width] that `rows` computes from the encoder's output. */
  keep(name: string, source: Dimension, width: number, rows: () => Value): Value {
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
