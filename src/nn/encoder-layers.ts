import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import { firstTokens } from './first-tokens.ts';
import type { Network } from './network.ts';

/** Which hidden states an encoder gives: all of them, or those of every example's first token. */
export type EncodedRows = 'all' | 'first';

interface AskedRows {
  /** 'all' where it is not given. */
  rows?: EncodedRows;
  batch: Dimension;
  /** Whether the last layer is computed for all tokens, whoever reads them. */
  everyRow?: boolean;
}

/**
 * The layers of an encoder one after the other, from hidden states [sequence · batch, width] on. Gives the last layer's, or
 * of those the first tokens', [batch, width]: that layer then takes keys and values of all tokens, and computes the rest for
 * the first ones alone.
 *
 * @param layer the i-th on `hidden`; `asked` is hidden itself, or of it the rows for which the layer is computed
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
