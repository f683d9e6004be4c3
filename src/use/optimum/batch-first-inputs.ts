import { expand, input, iota, reshape, transpose } from '../../engine/graph/build.ts';
import { addDimensions, type Dimension, symbol } from '../../engine/graph/dimension.ts';
import type { Graph, Value } from '../../engine/graph/graph.ts';

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
