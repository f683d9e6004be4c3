import { defineMethod, UserError } from 'adalora';
import { adapterConfigShape, z } from 'adalora/tuners';
import { LORA_RATES, measuredLora, rank, withVariants } from './measured-lora.mjs';

/** Sensitivity-LoRA's settings, with the paper's symbols and defaults. */
export const sensitivityLoraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Mean rank of the modules. */
    r: rank.default(8),
    /** Scale `lora_alpha / sqrt(r)` instead of `lora_alpha / r` (rank-stabilized LoRA). */
    use_rslora: z.boolean().default(false),
    /** Number of batches whose inputs are measured. */
    calibration_batches: z.int().min(1).default(32),
    /** Share of the diagonal elements of the Hessian in the mean of the largest (k / N). */
    top_k: z.number().gt(0).max(1).default(0.5),
    /** α: share of the diagonal's sum that the elements of the effective rank must have. */
    threshold: z.number().gt(0).max(1).default(0.85),
    /** Which sensitivity decides: `global` (the trace), `local` (largest elements and effective rank), or `both`. */
    sensitivity: z.enum(['both', 'global', 'local']).default('both'),
    /** Weight of a metric in a sum: its standard deviation over its squared mean (paper), or half of its inverse mean. */
    weights: z.enum(['deviation', 'equal']).default('deviation'),
    /**
     * How sensitivities become ranks: in proportion (`scaled`, SRA), or by their order alone (`progressive`, PRA:
     * `categories` of equal size, one rank apart, around `r`).
     */
    rank_allocation: z.enum(['scaled', 'progressive']).default('scaled'),
    /** Number of categories with `rank_allocation: progressive` (the paper's example has three). */
    categories: z.int().min(1).default(3),
  })
  .refine(({ categories }) => categories === undefined || categories % 2 === 1, {
    path: ['categories'],
    error: 'must be odd, so that the mean rank is r',
  })
  .refine(({ r, categories = 1 }) => categories <= 2 * r + 1, {
    path: ['categories'],
    error: 'must be at most 2 r + 1, so that no rank is below 0',
  });

/** The metrics of a weight's Hessian (equations 8 to 10). All rows of a weight have the same diagonal (appendix E). */
export function hessianMetrics({ diagonal, outFeatures: rows }, { top_k, threshold }) {
  const falling = diagonal.toSorted((a, b) => b - a);
  const trace = rows * falling.reduce((a, b) => a + b, 0);
  return {
    trace,
    top: meanOfLargest(falling, rows, top_k),
    effectiveRank: effectiveRank(falling, rows, threshold * trace),
  };
}

/** Computes the sensitivity θ of each weight (equations 11 to 14). */
export function sensitivities(modules, config) {
  const metrics = modules.map((module) => hessianMetrics(module, config));
  const sum = (a, b) => {
    const [wa, wb] = [metricWeight(a, config.weights), metricWeight(b, config.weights)];
    return a.map((value, k) => wa * value + wb * b[k]);
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
export function proportionalRanks(modules, sensitivity, total) {
  const all = sensitivity.reduce((a, b) => a + b, 0);
  const lacking = sensitivity.map((own) => (all > 0 ? (own / all) * total : total / modules.length));
  const ranks = modules.map(() => 0);
  const limits = modules.map(largestRank);
  for (let given = 0; given < total; given++) {
    let next = -1;
    ranks.forEach((rank, k) => {
      if (rank < limits[k] && (next < 0 || lacking[k] > lacking[next])) next = k;
    });
    if (next < 0) break;
    ranks[next]++;
    lacking[next]--;
  }
  return ranks;
}

/**
 * Sorts the modules by falling sensitivity into categories of equal size, whose ranks fall by one around `r` (section
 * 4.4: six modules with r = 5 and three categories get 6, 6, 5, 5, 4, 4). If the modules cannot be divided equally,
 * the outer categories have the same size, so that the mean stays `r`. A module has at most as many ranks as features.
 */
export function progressiveRanks(modules, sensitivity, { r, categories }) {
  const largest = r + (categories - 1) / 2;
  const ranks = modules.map(largestRank);
  const order = [...sensitivity.keys()].sort((a, b) => sensitivity[b] - sensitivity[a]);
  for (const [place, k] of order.entries()) {
    const category = Math.floor(((place + 0.5) * categories) / order.length);
    ranks[k] = Math.min(ranks[k], largest - category);
  }
  return ranks;
}

const largestRank = ({ inFeatures, outFeatures }) => Math.min(inFeatures, outFeatures);

/** The mean of the largest elements of a diagonal in which each of the `falling` values stands `rows` times. */
function meanOfLargest(falling, rows, share) {
  const count = Math.max(1, Math.round(share * falling.length * rows));
  let sum = 0;
  for (let i = 0; i * rows < count; i++) sum += falling[i] * Math.min(rows, count - i * rows);
  return sum / count;
}

/** The smallest number of elements whose sum is at least `enough`. Each of the `falling` values stands `rows` times. */
function effectiveRank(falling, rows, enough) {
  let missing = enough;
  for (const [i, value] of falling.entries()) {
    if (missing <= rows * value) return i * rows + (missing > 0 ? Math.ceil(missing / value) : 0);
    missing -= rows * value;
  }
  return falling.length * rows;
}

function metricWeight(values, kind) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (mean === 0) return 0;
  if (kind === 'equal') return 0.5 / mean;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance) / mean ** 2;
}

/** Sensitivity-LoRA (Zhang et al., 2025, arXiv 2509.09119): the diagonal of each weight's Hessian gives LoRA's ranks. */
export const sensitivityLora = measuredLora({
  config: sensitivityLoraConfigSchema,
  ...LORA_RATES,
  words: {
    title: 'Sensitivity-LoRA',
    titleWith: ({ sensitivity, weights, rank_allocation, use_rslora }) =>
      withVariants('Sensitivity-LoRA', [
        sensitivity === 'global' ? 'global sensitivity' : [],
        sensitivity === 'local' ? 'local sensitivity' : [],
        weights === 'equal' ? 'equal weights' : [],
        rank_allocation === 'progressive' ? 'progressive ranks' : [],
        use_rslora === true ? 'alpha / √r' : [],
      ]),
    tags: ['peft', 'lora', 'sensitivity-lora'],
  },
  alpha: ({ lora_alpha }) => lora_alpha,
  method: (even, config) => ({
    tuner: even,
    steps: 0,
    measures: `the modules' inputs in ${config.calibration_batches} batches`,
    measure: async (_seed, _initial, _gradientAt, inputsOf) => {
      const { modules } = even;
      const sensitivity = sensitivities(await measuredModules(modules, config, inputsOf), config);
      if (!sensitivity.every(Number.isFinite))
        throw new UserError({
          where: 'sensitivity_lora',
          fault: 'found inputs of modules that are not finite',
          hint: 'Check the base model, or train with method: lora.',
        });
      return {
        ranks:
          config.rank_allocation === 'progressive'
            ? progressiveRanks(modules, sensitivity, config)
            : proportionalRanks(modules, sensitivity, config.r * modules.length),
        scores: sensitivity.map((own) => [own]),
      };
    },
  }),
});

/** Measures the mean squares of the features that each module reads. */
async function measuredModules(modules, { calibration_batches: batches }, inputsOf) {
  const sums = new Map();
  let batch = 0;
  for await (const inputs of inputsOf(modules.map(({ path }) => path))) {
    for (const { paths, width, rows } of inputs) {
      const sum = sums.get(paths[0]) ?? { squares: new Float64Array(width), rows: 0 };
      for (const path of paths) sums.set(path, sum);
      sum.rows += rows.length / width;
      for (let i = 0; i < rows.length; i++) sum.squares[i % width] += rows[i] ** 2;
    }
    if (++batch === batches) break;
  }
  return modules.map(({ path, outFeatures }) => {
    const { squares, rows } = sums.get(path);
    return { outFeatures, diagonal: squares.map((sum) => sum / rows) };
  });
}

defineMethod('sensitivity_lora', sensitivityLora, import.meta);
