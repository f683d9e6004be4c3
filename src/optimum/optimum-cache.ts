import { concat, input, reshape, transpose } from '../graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions, symbol } from '../graph/dimension.ts';
import type { Graph, Value } from '../graph/graph.ts';
import type { AttentionCache, HeadShape } from '../nn/attention-cache.ts';
import { BATCH } from './batch-first-inputs.ts';

/**
 * The part of an encoder-decoder that a graph computes: the encoder, the decoder's keys and values of its output, or
 * the decoder.
 */
export type Phase = 'encoder' | 'keys' | 'decoder';

/** Optimum's prefixes of inputs with past keys and values, and of outputs with present ones. */
export const PAST_KEY_VALUES = 'past_key_values.';
const PRESENT = 'present.';
/** The encoder's output: an output of the encoder and an input of the decoder, [batch, source, width]. */
const STATES = 'encoder_hidden_states';

/**
 * The cache of a graph as Optimum exports it: inputs `past_key_values.N.key` and `.value` [batch, heads, past,
 * headSize] of layer N, and outputs `present.N.key` and `.value` with past and new tokens. In an encoder-decoder,
 * they are called `N.decoder.key` and so on; keys and values of the encoder's output are `N.encoder.key` and so on.
 */
export class OptimumCache implements AttentionCache {
  readonly past: Dimension = symbol('past_sequence_length');
  readonly present: Record<string, Value> = {};
  /** Keys and values of the encoder's output: inputs in phase `decoder`, outputs in phase `keys`. */
  readonly encoder: Record<string, Value> = {};
  /** The encoder's output in phase `encoder`, [batch, source, width]. */
  encoderOutput: Value | undefined;
  readonly #graph: Graph;
  readonly #source: Dimension;
  readonly #phase: Phase | undefined;

  /**
   * @param source the number of tokens that an encoder reads
   * @param phase of an encoder-decoder; undefined for a decoder alone
   */
  constructor(graph: Graph, source: Dimension, phase?: Phase) {
    this.#graph = graph;
    this.#source = source;
    this.#phase = phase;
  }

  extend(path: string, rows: Value, tokens: Dimension, headSize: number): Value {
    const name = this.#nameOf(path, this.present, this.#phase ? 'decoder.' : '');
    const heads = (rows.shape[1] as number) / headSize;
    const shape = (length: Dimension) => [BATCH, heads, length, headSize];
    const past = input(this.#graph, PAST_KEY_VALUES + name, 'float32', shape(this.past));
    const groups = multiplyDimensions(BATCH, heads);
    const added = reshape(split(rows, [tokens, groups, headSize]), shape(tokens));
    // At first the past is empty: to Reshape, a 0 would mean another size.
    const present = concat([past, added], 2);
    this.present[PRESENT + name] = present;
    return reshape(present, [groups, addDimensions(this.past, tokens), headSize]);
  }

  keep(path: string, source: Dimension, { width, headSize }: HeadShape, rows: () => Value): Value {
    const heads = width / headSize;
    const groups = multiplyDimensions(BATCH, heads);
    const shape = [BATCH, heads, source, headSize];
    const name = this.#nameOf(path, this.encoder, 'encoder.');
    const value =
      this.#phase === 'decoder'
        ? input(this.#graph, name, 'float32', shape)
        : reshape(split(rows(), [source, groups, headSize]), shape);
    this.encoder[name] = value;
    this.present[PRESENT + name] = value;
    return reshape(value, [groups, source, headSize]);
  }

  states(build: () => Value): Value {
    const built = build();
    if (this.#phase === 'encoder')
      this.encoderOutput = transpose(reshape(built, [this.#source, BATCH, width(built)]), [1, 0, 2]);
    if (this.#phase !== 'keys') return built;
    // Only the width of the built value is needed.
    const states = input(this.#graph, STATES, 'float32', [BATCH, this.#source, width(built)]);
    return reshape(transpose(states, [1, 0, 2]), built.shape);
  }

  /** The name of a layer's key or value: layers are built in order. */
  #nameOf(path: string, known: Readonly<Record<string, Value>>, whose: string): string {
    const kind = path.slice(path.lastIndexOf('.') + 1);
    const layer = Object.keys(known).filter((name) => name.endsWith(`${whose}${kind}`)).length;
    return `${layer}.${whose}${kind}`;
  }
}

/** Rows [tokens · batch, width] as heads [batch · heads, tokens, headSize]. */
function split(rows: Value, shape: readonly Dimension[]): Value {
  return transpose(reshape(rows, shape), [1, 0, 2]);
}

function width({ shape }: Value): Dimension {
  return shape[1];
}
