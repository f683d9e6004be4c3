/** The fields of T5's config.json that define buckets of distances. */
export interface BucketSettings {
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
