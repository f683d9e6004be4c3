/*
 * Disentangled attention uses the distance δ = q - k from key to query. Distances fall into buckets: one bucket each
 * for the first half of the buckets, then wider and wider ones. Every bucket has a row of the table of relative
 * embeddings.
 */

interface RelativePositionSettings {
  /** Buckets on either side. Below 1 there are no buckets, and every distance counts separately. */
  position_buckets: number;
  max_relative_positions: number;
}

/** Rows of the table of relative embeddings: half for queries after the key, half for queries before it. */
export function relativeRows(settings: RelativePositionSettings): number {
  return 2 * span(settings);
}

/** The rows for `count` distances starting at `first`, in steps of 1 or -1. */
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
    // If the divisor of the buckets is log 1, transformers casts infinity to an integer, which becomes the lowest.
    return Number.isFinite(row) ? Math.min(Math.max(row, 0), last) : 0;
  });
}

function span({ position_buckets, max_relative_positions }: RelativePositionSettings): number {
  return position_buckets > 0 ? position_buckets : max_relative_positions;
}

/** In 32 bits throughout, as in transformers: if the logarithm is a whole number, rounding decides. */
function bucket({ position_buckets, max_relative_positions }: RelativePositionSettings, distance: number) {
  const middle = Math.floor(position_buckets / 2);
  const far = Math.abs(distance);
  if (position_buckets < 1 || far <= middle) return distance;
  const { fround } = Math;
  const log = (x: number) => fround(Math.log(fround(x)));
  const share = fround(log(far / middle) / log((max_relative_positions - 1) / middle));
  return Math.sign(distance) * (Math.ceil(fround(share * (middle - 1))) + middle);
}
