/*
 * Disentangled attention uses the distance δ = q - k between query and key. Distances are grouped into
 * buckets. The first half of the buckets has one distance each; the others become wider and wider. Each
 * bucket has a row in the table of relative embeddings.
 */

interface RelativePositionSettings {
  /** Number of buckets in each direction. Below 1, there are no buckets, and each distance has its own row. */
  position_buckets: number;
  max_relative_positions: number;
}

/**
 * Number of rows in the table of relative embeddings. One half is for queries after the key, the other for
 * queries before it.
 */
export function relativeRows(settings: RelativePositionSettings): number {
  return 2 * span(settings);
}

/** The table's rows for `count` distances that start at `first`, in steps of 1 or -1. */
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
    // With a divisor of log 1 = 0, the formula gives infinity. transformers converts it to an integer, which
    // becomes the lowest row.
    return Number.isFinite(row) ? Math.min(Math.max(row, 0), last) : 0;
  });
}

function span({ position_buckets, max_relative_positions }: RelativePositionSettings): number {
  return position_buckets > 0 ? position_buckets : max_relative_positions;
}

/** Computed in 32 bits as in transformers. If the logarithm is a whole number, the rounding decides. */
function bucket({ position_buckets, max_relative_positions }: RelativePositionSettings, distance: number) {
  const middle = Math.floor(position_buckets / 2);
  const far = Math.abs(distance);
  if (position_buckets < 1 || far <= middle) return distance;
  const { fround } = Math;
  const log = (x: number) => fround(Math.log(fround(x)));
  const share = fround(log(far / middle) / log((max_relative_positions - 1) / middle));
  return Math.sign(distance) * (Math.ceil(fround(share * (middle - 1))) + middle);
}
