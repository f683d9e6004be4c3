/*
 * Disentangled attention looks at how far the query stands behind the key, δ = q - k. Distances fall into buckets: one
 * each up to half of them, then wider and wider ones; every bucket has a row of the table of relative embeddings.
 */

interface RelativePositionSettings {
  /** Buckets on either side, or none (below 1): then every distance is its own. */
  position_buckets: number;
  max_relative_positions: number;
}

/** Rows of the table of relative embeddings: half of them for queries behind, half for queries before the key. */
export function relativeRows(settings: RelativePositionSettings): number {
  return 2 * span(settings);
}

/** The rows for distances from `first` on, `count` of them, in steps of 1 or -1. */
export function rowsOfDistances(
  settings: RelativePositionSettings,
  first: number,
  count: number,
  step: 1 | -1,
): number[] {
  const last = relativeRows(settings) - 1;
  const middle = span(settings);
  return Array.from({ length: count }, (_, i) => {
    const row = middle + bucket(settings, first + step * i);
    // Where the buckets' divisor is log 1, transformers casts infinity to an integer, which comes out lowest.
    return Number.isFinite(row) ? Math.min(Math.max(row, 0), last) : 0;
  });
}

function span({ position_buckets, max_relative_positions }: RelativePositionSettings): number {
  return position_buckets > 0 ? position_buckets : max_relative_positions;
}

/** In 32 bits throughout, as transformers computes it: where the logarithm comes out whole, rounding decides. */
function bucket({ position_buckets, max_relative_positions }: RelativePositionSettings, distance: number) {
  const middle = Math.floor(position_buckets / 2);
  const far = Math.abs(distance);
  if (position_buckets < 1 || far <= middle) return distance;
  const { fround } = Math;
  const log = (x: number) => fround(Math.log(fround(x)));
  const share = fround(log(far / middle) / log((max_relative_positions - 1) / middle));
  return Math.sign(distance) * (Math.ceil(fround(share * (middle - 1))) + middle);
}
