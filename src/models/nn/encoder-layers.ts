import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { firstTokens } from './last-rows.ts';
import type { Network } from './network.ts';

/** The hidden states that an encoder returns: those of all tokens, or of the first token of every example. */
export type EncoderStates = 'all' | 'first';

interface AskedRows {
  /** Default: 'all'. */
  rows?: EncoderStates;
  batch: Dimension;
  /** Whether the last layer computes all tokens even if only the first ones are returned. */
  everyRow?: boolean;
}

/**
 * Runs the layers of an encoder on hidden states [sequence · batch, width]. Returns the hidden states of the last
 * layer, or only those of the first tokens, [batch, width]. For first tokens, the last layer computes only keys and
 * values for all tokens, and everything else for the first tokens.
 *
 * @param layer builds layer i on `hidden`; `asked` is the part of `hidden` for which the layer is computed (or all of
 * it)
 */
export function encoderLayers(
  network: Network,
  count: number,
  embedded: Value,
  { rows = 'all', batch, everyRow = false }: AskedRows,
  layer: (i: number, hidden: Value, asked: Value) => Value,
): Value {
  const shortens = rows === 'first' && !everyRow;
  let hidden = embedded;
  for (let i = 0; i < count; i++) {
    const before = network.layerInput(hidden);
    hidden = layer(i, before, shortens && i === count - 1 ? firstTokens(before, { batch }) : before);
  }
  return rows === 'all' || shortens ? hidden : firstTokens(hidden, { batch });
}
