import type { Value } from '../../engine/graph/graph.ts';
import { selectRows } from './last-rows.ts';
import type { Network } from './network.ts';

/** The rows of a layer of a decoder. */
export interface LayerRows {
  /** Hidden states of all tokens, [sequence · batch, width]. */
  hidden: Value;
  /** The hidden states for which the layer is computed: all of them, or [batch, width]. */
  residual: Value;
  /** The numbers of those hidden states, int32 [batch]; undefined for all. */
  asked: Value | undefined;
}

/**
 * Runs the layers of a decoder on hidden states [sequence · batch, width]. With `asked`, the last layer computes only
 * queries, keys and values for all tokens, and everything else for one token of each example.
 *
 * @param asked int32 [batch]: numbers of hidden states
 * @param layer builds layer i
 */
export function decoderLayers(
  network: Network,
  count: number,
  embedded: Value,
  asked: Value | undefined,
  layer: (i: number, rows: LayerRows) => Value,
): Value {
  let current = embedded;
  for (let i = 0; i < count; i++) {
    const hidden = network.layerInput(current);
    const rows = i === count - 1 ? asked : undefined;
    current = layer(i, { hidden, residual: selectRows(hidden, rows), asked: rows });
  }
  return current;
}
