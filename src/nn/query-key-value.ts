import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

/**
 * What attention's three projections make of hidden states: rows of the given width.
 *
 * @param modules of queries, keys and values
 * @param asked the hidden states, or of them those that ask: queries are made of these alone
 */
export function queryKeyValue(
  network: Network,
  [query, key, value]: readonly [string, string, string],
  { hidden, asked }: { hidden: Value; asked: Value },
  width: number,
): Value[] {
  // In one group where they read the same: work on it is shared.
  if (asked === hidden) return network.linearGroup([query, key, value], hidden, [width, width, width]);
  return [network.linear(query, asked, width), ...network.linearGroup([key, value], hidden, [width, width])];
}
