import { gather } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';

/**
 * Selects rows of hidden states [tokens · batch, width], so that only those that are read are computed further.
 *
 * @param rows int32 [n]: the numbers of the rows; undefined for all
 */
export function selectRows(hidden: Value, rows: Value | undefined): Value {
  return rows ? gather(hidden, rows) : hidden;
}
