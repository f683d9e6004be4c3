import type { Value } from '../../engine/graph/graph.ts';
import type { Network } from './network.ts';

/**
 * Projects hidden states to the queries, keys and values of attention: rows of the given width.
 *
 * @param modules paths of the modules for queries, keys and values
 * @param asked the rows of `hidden` that become queries, or all of them
 */
export function queryKeyValue(
  network: Network,
  [query, key, value]: readonly [string, string, string],
  { hidden, asked }: { hidden: Value; asked: Value },
  width: number,
): [Value, Value, Value] {
  // One group if all read the same input, because a tuner shares work within a group.
  if (asked === hidden) return network.linearGroup([query, key, value], hidden, [width, width, width]);
  return [network.linear(query, asked, width), ...network.linearGroup([key, value], hidden, [width, width])];
}
