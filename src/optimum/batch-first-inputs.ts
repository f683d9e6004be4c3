import { expand, input, iota, reshape, transpose } from '../graph/build.ts';
import { addDimensions, type Dimension, symbol } from '../graph/dimension.ts';
import type { Graph, Value } from '../graph/graph.ts';

/** Optimum's names of sizes. transformers.js looks for the first. */
export const BATCH = symbol('batch_size');
export const SEQUENCE = symbol('sequence_length');
export const SOURCE = symbol('encoder_sequence_length');

/** An input of ids [batch, tokens], transposed to the order of our models, [tokens, batch]. */
export function idsInput(graph: Graph, name: string, tokens: Dimension = SEQUENCE): Value {
  return transpose(input(graph, name, 'int32', [BATCH, tokens]), [1, 0]);
}

/** An input of a mask [batch, tokens]. */
export function maskInput(
  graph: Graph,
  name: string,
  past: Dimension = 0,
  tokens: Dimension = SEQUENCE,
): Value {
  return input(graph, name, 'int32', [BATCH, addDimensions(past, tokens)]);
}

/** Positions [sequence, batch] that count from 0 in every row. */
export function countedPositions(graph: Graph): Value {
  return expand(reshape(iota(graph, SEQUENCE), [SEQUENCE, 1]), [SEQUENCE, BATCH]);
}
