import {
  add,
  cast,
  constant,
  gather,
  greater,
  iota,
  relu,
  reshape,
  slice,
  subtract,
  transpose,
  where,
} from '../../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { embedding } from '../../nn/embedding.ts';
import type { Network } from '../../nn/network.ts';

/**
 * The bias of the scores in every layer. It depends on the head and on the bucket of the distance, by the
 * module's table `relative_attention_bias`. The queries are the last keys.
 *
 * @param sides 2 if keys after a query are visible
 * @param rows the rows of the table, which may have more than buckets
 * @returns [1, heads, queries, keys]
 */
export function relativeBias(
  module: Network,
  config: BucketSettings & { num_heads: number },
  sides: 1 | 2,
  queries: Dimension,
  keys: Dimension,
  rows = config.relative_attention_num_buckets,
): Value {
  const { graph } = module;
  const { num_heads, relative_attention_max_distance: most } = config;
  const buckets = constant(graph, distanceBuckets(config, sides), undefined, 'int32');
  const table = module.at('relative_attention_bias');
  const byDistance = embedding(table, [rows, num_heads], buckets);

  const positions = cast(iota(graph, keys), 'float32');
  const first = addDimensions(keys, multiplyDimensions(queries, -1));
  const asking = reshape(slice(positions, 0, first, keys), [queries, 1]);
  const asked = reshape(positions, [1, keys]);
  // Counted from the table's first row, and clamped to its last row.
  const from = sides === 2 ? add(subtract(asked, asking), most) : subtract(asking, asked);
  const entries = relu(from);
  const clipped = where(greater(entries, sides * most), sides * most, entries);
  const biases = gather(byDistance, cast(clipped, 'int32'));
  return reshape(transpose(biases, [2, 0, 1]), [1, num_heads, queries, keys]);
}

/** The fields of T5's config.json that define buckets of distances. */
interface BucketSettings {
  relative_attention_num_buckets: number;
  relative_attention_max_distance: number;
}

/**
 * The bucket of each distance between key and query. In each direction, the first half of the buckets has one
 * distance each; the others become wider and wider. In an encoder, the second half of all buckets is for keys
 * after the query.
 *
 * @param sides 2 for an encoder; 1 for a decoder, which sees no keys after a query
 * @returns buckets by distance; with 2 sides, the list begins with the largest distance before the query
 */
export function distanceBuckets(settings: BucketSettings, sides: 1 | 2): number[] {
  const { relative_attention_num_buckets, relative_attention_max_distance: greatest } = settings;
  const buckets = Math.floor(relative_attention_num_buckets / sides);
  const before = Array.from({ length: greatest + 1 }, (_, distance) => bucket(distance, buckets, greatest));
  if (sides === 1) return before;
  const behind = before.slice(1).map((one) => buckets + one);
  return [...before.reverse(), ...behind];
}

/** Computed in 32 bits as in transformers. If the logarithm is a whole number, the rounding decides. */
function bucket(distance: number, buckets: number, greatest: number): number {
  const { fround, floor, log, min } = Math;
  const exact = floor(buckets / 2);
  if (distance < exact) return distance;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(greatest / exact)));
  return min(exact + floor(fround(share * (buckets - exact))), buckets - 1);
}
