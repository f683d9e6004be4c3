import { concat, expand, input, iota, reshape, transpose } from '../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import type { Graph, Value } from '../../engine/graph/graph.ts';
import type { AttentionCache, HeadShape } from '../../models/nn/key-value-cache.ts';

/** Optimum's names of the two sizes. transformers.js looks for `batch_size`. */
export const OPTIMUM_BATCH = symbol('batch_size');
export const SEQUENCE = symbol('sequence_length');
export const SOURCE = symbol('encoder_sequence_length');

/** Declares an input of ids [batch, tokens]. Returns its transpose, [tokens, batch]: the order of our models. */
export function idsInput(graph: Graph, name: string, tokens: Dimension = SEQUENCE): Value {
  return transpose(input(graph, name, 'int32', [OPTIMUM_BATCH, tokens]), [1, 0]);
}

export function maskInput(
  graph: Graph,
  name: string,
  past: Dimension = 0,
  tokens: Dimension = SEQUENCE,
): Value {
  return input(graph, name, 'int32', [OPTIMUM_BATCH, addDimensions(past, tokens)]);
}

/** Positions [sequence, batch]. Each text counts from 0. */
export function countedPositions(graph: Graph, sequence: Dimension = SEQUENCE): Value {
  return expand(reshape(iota(graph, sequence), [sequence, 1]), [sequence, OPTIMUM_BATCH]);
}

/**
 * The part of an encoder-decoder that a graph computes: the encoder, the decoder, or the keys and values that the
 * decoder computes from the encoder's output.
 */
export type Phase = 'encoder' | 'keys' | 'decoder';

/** Optimum's prefixes of names: inputs with past keys and values, and outputs with all of them. */
export const PAST_KEY_VALUES = 'past_key_values.';
const PRESENT = 'present.';
/** Name of the encoder's output: an output of the encoder and an input of the decoder, [batch, source, width]. */
const STATES = 'encoder_hidden_states';

/**
 * The cache of a graph as Optimum exports it. Layer N has inputs `past_key_values.N.key` and `.value` [batch, heads,
 * past, headSize], and outputs `present.N.key` and `.value` with past and new tokens. In an encoder-decoder, their
 * names are `N.decoder.key` and so on. Keys and values of the encoder's output are `N.encoder.key` and so on.
 */
export class OptimumCache implements AttentionCache {
  readonly past: Dimension = symbol('past_sequence_length');
  readonly present: Record<string, Value> = {};
  /** Keys and values of the encoder's output: inputs in the phase `decoder`, outputs in the phase `keys`. */
  readonly encoder: Record<string, Value> = {};
  /** The encoder's output [batch, source, width], set in the phase `encoder`. */
  encoderOutput: Value | undefined;
  readonly #graph: Graph;
  readonly #source: Dimension;
  readonly #phase: Phase | undefined;

  /**
   * @param source the number of tokens that an encoder reads
   * @param phase the phase of an encoder-decoder; undefined for a decoder alone
   */
  constructor(graph: Graph, source: Dimension, phase?: Phase) {
    this.#graph = graph;
    this.#source = source;
    this.#phase = phase;
  }

  extend(path: string, rows: Value, tokens: Dimension, headSize: number): Value {
    const name = this.#nameOf(path, this.present, this.#phase ? 'decoder.' : '');
    const heads = (rows.shape[1] as number) / headSize;
    const shape = (length: Dimension) => [OPTIMUM_BATCH, heads, length, headSize];
    const past = input(this.#graph, PAST_KEY_VALUES + name, 'float32', shape(this.past));
    const groups = multiplyDimensions(OPTIMUM_BATCH, heads);
    const added = reshape(split(rows, [tokens, groups, headSize]), shape(tokens));
    // Concatenated before the reshape: the past is empty at first, and Reshape reads a size of 0 as "keep this size".
    const present = concat([past, added], 2);
    this.present[PRESENT + name] = present;
    return reshape(present, [groups, addDimensions(this.past, tokens), headSize]);
  }

  keep(path: string, source: Dimension, { width, headSize }: HeadShape, rows: () => Value): Value {
    const heads = width / headSize;
    const groups = multiplyDimensions(OPTIMUM_BATCH, heads);
    const shape = [OPTIMUM_BATCH, heads, source, headSize];
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
      this.encoderOutput = transpose(reshape(built, [this.#source, OPTIMUM_BATCH, width(built)]), [1, 0, 2]);
    if (this.#phase !== 'keys') return built;
    // The built value is only read for its width.
    const states = input(this.#graph, STATES, 'float32', [OPTIMUM_BATCH, this.#source, width(built)]);
    return reshape(transpose(states, [1, 0, 2]), built.shape);
  }

  /** The name of a layer's key or value. The number is the layer's, because layers are built in order. */
  #nameOf(path: string, known: Readonly<Record<string, Value>>, whose: string): string {
    const kind = path.slice(path.lastIndexOf('.') + 1);
    const layer = Object.keys(known).filter((name) => name.endsWith(`${whose}${kind}`)).length;
    return `${layer}.${whose}${kind}`;
  }
}

/** Splits rows [tokens · batch, width] into heads [batch · heads, tokens, headSize]. */
function split(rows: Value, shape: readonly Dimension[]): Value {
  return transpose(reshape(rows, shape), [1, 0, 2]);
}

function width({ shape }: Value): Dimension {
  return shape[1]!;
}
