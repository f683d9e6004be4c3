import { defineMethod, UserError } from 'adalora';
import { adapterConfigShape, patternValue, topSingular, WeightMatrix, z } from 'adalora/tuners';
import { LORA_RATES, measuredLora, rank, roundHalfEven, withVariants } from './measured-lora.mjs';

/**
 * Principal components of rows that arrive in batches (Ross et al., 2008), as in scikit-learn and PEFT. Only the
 * components, the mean and the total variance are kept. Singular vectors are exact; PEFT uses a randomized
 * approximation.
 */
export class IncrementalPca {
  /** Unit vectors [count, width], the strongest first. The largest element of each is positive. */
  components = [];
  singularValues = [];
  /** The share of the total variance along each component. */
  explained = [];
  #seen = 0;
  #mean;
  /** The sum of squared deviations of all features. */
  #variation = 0;

  constructor(count, width) {
    this.count = count;
    this.width = width;
    this.#mean = new Float64Array(width);
  }

  /**
   * Updates the components with a batch.
   *
   * @param rows [rows, width]
   */
  fit(rows) {
    const { width, count } = this;
    const added = rows.length / width;
    const mean = new Float64Array(width);
    rows.forEach((value, at) => {
      mean[at % width] += value / added;
    });
    const [before, total] = [this.#seen, this.#seen + added];
    const isFirst = before === 0;
    const kept = isFirst ? 0 : this.components.length;
    // The rows are the kept components, the centered batch, and the shift of the mean.
    const height = kept + added + Number(!isFirst);
    const matrix = new Float32Array(height * width);
    for (let k = 0; k < kept; k++)
      for (let j = 0; j < width; j++) matrix[k * width + j] = this.singularValues[k] * this.components[k][j];
    for (let at = 0; at < rows.length; at++) {
      const centered = rows[at] - mean[at % width];
      matrix[kept * width + at] = centered;
      this.#variation += centered * centered;
    }
    for (let j = 0; j < width; j++) {
      const shift = this.#mean[j] - mean[j];
      if (!isFirst) matrix[(kept + added) * width + j] = Math.sqrt((before / total) * added) * shift;
      this.#variation += ((before * added) / total) * shift * shift;
      this.#mean[j] = (before * this.#mean[j] + added * mean[j]) / total;
    }
    this.#seen = total;
    const stacked = new WeightMatrix({ path: '', outFeatures: height, inFeatures: width }, matrix);
    const triplets = topSingular(stacked, Math.min(count, height, width));
    this.components = triplets.map(({ v }) => turned(v));
    this.singularValues = triplets.map(({ strength }) => strength);
    this.explained = this.singularValues.map((strength) => strength ** 2 / this.#variation);
  }
}

/** Returns the vector, or its negative if its largest element is negative. */
function turned(vector) {
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return largest < 0 ? vector.map((value) => -value) : vector;
}

/** EVA's settings: the keys and defaults of PEFT's `LoraConfig` and `EvaConfig`. */
export const evaConfigSchema = z.strictObject({
  ...adapterConfigShape,
  /** Mean rank of the modules. */
  r: rank.default(8),
  /** Scale `lora_alpha / sqrt(r)` instead of `lora_alpha / r` (rank-stabilized LoRA). */
  use_rslora: z.boolean().default(false),
  /**
   * Ranks of some modules, used instead of `r` when the total budget is added up. Keys are module paths, suffixes or
   * regular expressions.
   */
  rank_pattern: z.record(z.string(), rank).default({}),
  /** Alphas that differ from `lora_alpha`, with keys as in `rank_pattern`. */
  alpha_pattern: z.record(z.string(), z.number().positive()).default({}),
  /** Maximum rank of a module, as a multiple of `r`. `1` gives every module the rank `r`. */
  rho: z.number().min(1).default(2),
  /**
   * Minimum cosine between a direction and its value one batch before. A module is done when all its directions reach
   * it.
   */
  tau: z.number().gt(0).max(1).default(0.99),
  /** Divide directions by the square root of their singular values. */
  whiten: z.boolean().default(false),
  /** Whether every rank keeps the scale of `r`. `false`: each module has the scale of its own rank. */
  adjust_scaling_factors: z.boolean().default(true),
  /** Maximum number of batches. If directions still change after that, the run ends with an error. */
  max_batches: z.int().min(2).default(1000),
});

/**
 * Computes ranks and initial A of EVA (Paischer et al., 2024, arXiv 2410.07170) as PEFT does: incremental PCA of the
 * rows that each module reads, until the directions of all assigned ranks have converged.
 */
export async function measureInputs(modules, { rho, tau, whiten, max_batches: most }, inputsOf) {
  const budget = modules.reduce((sum, { rank }) => sum + rank, 0);
  const rankOf = new Map(modules.map(({ path, rank }) => [path, rank]));
  let groups;
  let ranks = new Map();
  let batches = 0;
  for await (const inputs of inputsOf(modules.map(({ path }) => path))) {
    groups ??= inputs.map(({ paths, width }) => {
      const count = Math.max(...paths.map((path) => roundHalfEven(rankOf.get(path) * rho)));
      for (const path of paths) ranks.set(path, count);
      return {
        paths,
        pca: new IncrementalPca(count, width),
        converged: new Array(count).fill(false),
        isDone: false,
      };
    });
    // A group is done when the directions of all its current ranks have converged.
    for (const group of groups) group.isDone = isConverged(group, ranks);
    if (groups.every(({ isDone }) => isDone)) break;
    if (batches++ === most) throw tooManyBatches(most);
    groups.forEach((group, i) => {
      if (!group.isDone) advance(group, inputs[i].rows, tau);
    });
    if (groups.some(({ pca }) => pca.components.length === 0)) continue;
    ranks = rankDistribution(sharing(groups, modules), explainedIn(groups), budget);
  }
  const groupOf = new Map(groups.flatMap((group) => group.paths.map((path) => [path, group])));
  return {
    ranks: modules.map(({ path }) => ranks.get(path)),
    scores: modules.map(({ path }) => groupOf.get(path).pca.explained),
    factors: modules.map(({ path }) => {
      const { components, singularValues } = groupOf.get(path).pca;
      const rows = components
        .slice(0, ranks.get(path))
        .map((row, k) => (whiten ? row.map((value) => value / Math.sqrt(singularValues[k])) : row));
      return { A: rows.flatMap((row) => [...row]) };
    }),
  };
}

function advance(group, rows, tau) {
  const { pca } = group;
  // A batch with fewer rows than components is skipped.
  if (rows.length / pca.width < pca.count) return;
  const before = pca.components;
  pca.fit(rows);
  if (before.length > 0)
    group.converged = pca.components.map(
      (now, k) => now.reduce((sum, value, i) => sum + value * before[k][i], 0) >= tau,
    );
}

/**
 * Whether the components of a group have converged. As in PEFT, the rank of its first module decides, which is the
 * largest.
 */
function isConverged({ paths: [leader], converged }, ranks) {
  return converged.slice(0, ranks.get(leader)).every(Boolean);
}

function sharing(groups, modules) {
  const leaderOf = new Map(groups.flatMap(({ paths }) => paths.map((path) => [path, paths[0]])));
  const all = modules.map(({ path }) => ({ path, leader: leaderOf.get(path) }));
  const leads = ({ path, leader }) => path === leader;
  return [...all.filter(leads), ...all.filter((one) => !leads(one))];
}

function explainedIn(groups) {
  return new Map(groups.map(({ paths: [leader], pca }) => [leader, pca.explained]));
}

function tooManyBatches(most) {
  return new UserError({
    where: 'eva',
    fault: `did not converge in ${most} batches: the principal directions of the inputs still change`,
    hint: 'Raise eva.max_batches, or lower eva.tau or eva.r.',
  });
}

/**
 * Distributes a budget of ranks over modules. Each of the directions with the largest shares of explained variance gets
 * one rank. Among modules with equal inputs, the first gets the most.
 *
 * @param modules leaders first
 * @param explained shares of each leader, largest first
 */
export function rankDistribution(modules, explained, budget) {
  const shares = modules.flatMap(({ path, leader }) =>
    (explained.get(leader) ?? []).map((share) => ({ path, share })),
  );
  const counts = new Map(modules.map(({ path }) => [path, 0]));
  // Equal shares keep their order, because the sort is stable.
  for (const { path } of shares.sort((a, b) => b.share - a.share).slice(0, budget))
    counts.set(path, counts.get(path) + 1);
  for (const { path, leader } of modules) {
    const [own, first] = [counts.get(path), counts.get(leader)];
    if (first >= own) continue;
    counts.set(leader, own).set(path, first);
  }
  return counts;
}

/** EVA (Paischer et al., 2024), with the keys, the procedure and the files of PEFT. */
export const eva = measuredLora({
  config: evaConfigSchema,
  ...LORA_RATES,
  words: {
    title: 'EVA',
    titleWith: ({ use_rslora, whiten, adjust_scaling_factors }) =>
      withVariants('EVA', [
        use_rslora === true ? 'alpha / √r' : [],
        whiten === true ? 'whitened' : [],
        adjust_scaling_factors === false ? 'scale of each rank' : [],
      ]),
    tags: ['peft', 'lora', 'eva'],
  },
  alpha({ adjust_scaling_factors, alpha_pattern, lora_alpha }, { path, rank: before }, rank) {
    const alpha = patternValue(alpha_pattern, path) ?? lora_alpha;
    return adjust_scaling_factors && rank !== before ? alpha * (rank / before) : alpha;
  },
  method: (even, config) => ({
    tuner: even,
    steps: 0,
    measures: "the modules' inputs",
    measure: (_seed, _initial, _gradientAt, inputsOf) => measureInputs(even.modules, config, inputsOf),
  }),
});

defineMethod('eva', eva, import.meta);
