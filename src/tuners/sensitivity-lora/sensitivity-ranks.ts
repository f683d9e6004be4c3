import type { SensitivityLoraConfig } from './config.ts';

/** A module's weight [out, in], with the Hessian's diagonal for each of its rows: the mean square of each input. */
export interface MeasuredModule {
  outFeatures: number;
  diagonal: Float64Array;
}

/** The metrics of a weight's Hessian (equations 8 to 10). All rows of a weight have the same diagonal (appendix E). */
export function hessianMetrics(
  { diagonal, outFeatures: rows }: MeasuredModule,
  { top_k, threshold }: Pick<SensitivityLoraConfig, 'top_k' | 'threshold'>,
) {
  const falling = diagonal.toSorted((a, b) => b - a);
  const trace = rows * falling.reduce((a, b) => a + b, 0);
  return {
    trace,
    top: meanOfLargest(falling, rows, top_k),
    effectiveRank: effectiveRank(falling, rows, threshold * trace),
  };
}

/** Computes the sensitivity θ of each weight (equations 11 to 14). */
export function sensitivities(modules: readonly MeasuredModule[], config: SensitivityLoraConfig): number[] {
  const metrics = modules.map((module) => hessianMetrics(module, config));
  const sum = (a: readonly number[], b: readonly number[]) => {
    const [wa, wb] = [metricWeight(a, config.weights), metricWeight(b, config.weights)];
    return a.map((value, k) => wa * value + wb * b[k]!);
  };
  const global = metrics.map(({ trace }) => trace);
  if (config.sensitivity === 'global') return global;
  const local = sum(
    metrics.map(({ top }) => top),
    metrics.map(({ effectiveRank: own }) => own),
  );
  return config.sensitivity === 'local' ? local : sum(global, local);
}

/**
 * Distributes `total` ranks in proportion to sensitivity (equation 15). The paper does not say how shares become whole
 * numbers: here each rank goes to the module that lacks most of its share. A module has at most as many ranks as
 * features. Ranks are even if no module is more sensitive than another.
 */
export function proportionalRanks(
  modules: readonly { inFeatures: number; outFeatures: number }[],
  sensitivity: readonly number[],
  total: number,
): number[] {
  const all = sensitivity.reduce((a, b) => a + b, 0);
  const lacking = sensitivity.map((own) => (all > 0 ? (own / all) * total : total / modules.length));
  const ranks = modules.map(() => 0);
  const limits = modules.map(({ inFeatures, outFeatures }) => Math.min(inFeatures, outFeatures));
  for (let given = 0; given < total; given++) {
    let next = -1;
    ranks.forEach((rank, k) => {
      if (rank < limits[k]! && (next < 0 || lacking[k]! > lacking[next]!)) next = k;
    });
    if (next < 0) break;
    ranks[next]!++;
    lacking[next]!--;
  }
  return ranks;
}

/** The mean of the largest elements of a diagonal in which each of the `falling` values stands `rows` times. */
function meanOfLargest(falling: Float64Array, rows: number, share: number): number {
  const count = Math.max(1, Math.round(share * falling.length * rows));
  let sum = 0;
  for (let i = 0; i * rows < count; i++) sum += falling[i]! * Math.min(rows, count - i * rows);
  return sum / count;
}

/** The smallest number of elements whose sum is at least `enough`. Each of the `falling` values stands `rows` times. */
function effectiveRank(falling: Float64Array, rows: number, enough: number): number {
  let missing = enough;
  for (const [i, value] of falling.entries()) {
    if (missing <= rows * value) return i * rows + (missing > 0 ? Math.ceil(missing / value) : 0);
    missing -= rows * value;
  }
  return falling.length * rows;
}

function metricWeight(values: readonly number[], kind: SensitivityLoraConfig['weights']): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (mean === 0) return 0;
  if (kind === 'equal') return 0.5 / mean;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance) / mean ** 2;
}
