import { defineMethod, UserError } from 'adalora';
import { matmul } from 'adalora/nn';
import { adapterConfigShape, factorName, ParameterLayout, z } from 'adalora/tuners';
import { measuredLora, rank, roundHalfEven, withVariants } from './measured-lora.mjs';

/** GoRA's settings, with the paper's symbols and defaults. If the released code differs, its value is marked. */
export const goraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Mean rank. The budget is the number of parameters of LoRA with this rank. */
    r: rank.default(8),
    /** Minimum rank of a module. Default: half of `r`. */
    min_rank: rank.optional(),
    /** Maximum rank of a module. Default: 4 times `r`. */
    max_rank: rank.optional(),
    /** The scale of a module with rank r: `true` for `lora_alpha / sqrt(r)`, `false` for `lora_alpha / r`. */
    use_rslora: z.boolean().default(true),
    /** γ: the size of the initial increment, as a multiple of the weight's gradient. `0`: B starts at zero. */
    gamma: z.number().min(0).default(0.05),
    /** Number of batches, in optimizer steps, for the mean gradient. */
    gradient_batches: z.int().min(1).default(64),
    /**
     * Importance of a weight W with gradient G: the mean of |W G| (paper), the Frobenius norm of W G (the code's
     * default), the mean length of its `rows`, or the mean or Frobenius norm of G alone.
     */
    importance: z.enum(['mean', 'frobenius', 'rows', 'gradient-mean', 'gradient-frobenius']).default('mean'),
    /** Whether shares of the budget are in proportion to the square root of the importance. */
    root_importance: z.boolean().default(false),
    /**
     * Makes the shares of the budget a softmax with this temperature, of the importance scaled to 0 to 1. Default:
     * shares in proportion to the importance.
     */
    softmax_temperature: z.number().positive().optional(),
    /**
     * Cost of a rank in the budget: `sqrt` of the features (paper), their `sum` (the code's default), or `log` of one
     * more than the sum.
     */
    features: z.enum(['sqrt', 'sum', 'log']).default('sqrt'),
    /** How a share of the budget becomes a rank: `nearest` (paper) or `down` (code). */
    rounding: z.enum(['nearest', 'down']).default('nearest'),
    /** Sign of the initial increment: against the gradient (paper), or along it (code). */
    direction: z.enum(['descent', 'ascent']).default('descent'),
  })
  .refine(({ r, min_rank = 1 }) => min_rank <= r, { path: ['min_rank'], error: 'must not be above r' })
  .refine(({ r, max_rank = r }) => max_rank >= r, { path: ['max_rank'], error: 'must not be below r' });

/**
 * The importance I(W): of W ∘ G or of the gradient G alone, the mean of the absolute elements, the Frobenius norm, or
 * the mean length of the rows.
 *
 * @param weight row-major, with `rows` rows
 */
export function weightImportance(weight, gradient, kind, rows) {
  const isOfGradient = kind.startsWith('gradient-');
  const width = weight.length / rows;
  let [sum, squares, lengths] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    let square = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const product = (isOfGradient ? 1 : weight[i]) * gradient[i];
      sum += Math.abs(product);
      square += product * product;
    }
    squares += square;
    lengths += Math.sqrt(square);
  }
  if (kind === 'rows') return lengths / rows;
  return kind.endsWith('mean') ? sum / weight.length : Math.sqrt(squares);
}

/** Converts importance to shares of the budget, which add up to 1. */
function computeShares(importance, { root_importance, softmax_temperature: temperature }) {
  const values = importance.map((value) => (root_importance ? Math.sqrt(value) : value));
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const range = values.reduce((a, b) => Math.max(a, b), -Infinity) - least || 1;
  const parts = temperature ? values.map((value) => Math.exp((value - least) / range / temperature)) : values;
  const all = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / all);
}

/**
 * Computes ranks from importance. Each module gets a share of the budget. Its rank is that share divided by the cost of
 * one rank, within the limits.
 */
export function goraRanks(modules, importance, config) {
  const { r, min_rank, max_rank, features, rounding } = config;
  const { least, most } = rankRange(r, min_rank, max_rank);
  const costs = modules.map(({ inFeatures, outFeatures }) => {
    const sum = inFeatures + outFeatures;
    return { sqrt: Math.sqrt(sum), sum, log: Math.log1p(sum) }[features];
  });
  const budget = costs.reduce((sum, cost) => sum + cost * r, 0);
  const shares = computeShares(importance, config);
  return modules.map(({ inFeatures, outFeatures }, k) => {
    const share = budget * shares[k];
    // GoRA's code rounds the share before it divides.
    const rank =
      rounding === 'nearest' ? roundHalfEven(share / costs[k]) : Math.floor(roundHalfEven(share) / costs[k]);
    // More vectors than features would be linearly dependent.
    return Math.min(Math.max(rank, least), most, inFeatures, outFeatures);
  });
}

/** The limits in the paper's experiments: 4 to 32 for a mean of 8. */
function rankRange(r, least = Math.max(1, Math.floor(r / 2)), most = 4 * r) {
  return { least, most };
}

/** The words for importance that is not the paper's. */
const IMPORTANCE = {
  frobenius: 'importance ‖W ∘ G‖',
  rows: 'importance of rows of W ∘ G',
  'gradient-mean': 'importance mean |G|',
  'gradient-frobenius': 'importance ‖G‖',
};

/** GoRA (He et al., NeurIPS 2025, arXiv 2502.12171): the gradient of the weights gives LoRA's ranks and initial B. */
export const gora = measuredLora({
  config: goraConfigSchema,
  learningRate: 5e-4,
  chosen: { encoder: { rate: 1e-3, lora_alpha: 16 }, language: { rate: 2e-4, lora_alpha: 16 } },
  words: {
    title: 'GoRA',
    titleWith: (settings) =>
      withVariants('GoRA', [
        IMPORTANCE[settings.importance] ?? [],
        settings.root_importance === true ? 'root of importance' : [],
        settings.softmax_temperature === undefined ? [] : `softmax of ${settings.softmax_temperature}`,
        settings.features === 'sum' ? 'budget of parameters' : [],
        settings.features === 'log' ? 'budget of logarithms' : [],
        settings.rounding === 'down' ? 'ranks rounded down' : [],
        settings.direction === 'ascent' ? 'along the gradient' : [],
        settings.gamma === 0 ? 'B₀ = 0' : [],
        settings.use_rslora === false ? 'alpha / r' : [],
      ]),
    tags: ['peft', 'lora', 'gora'],
  },
  alpha: ({ lora_alpha }) => lora_alpha,
  method(even, config) {
    const tuner = new WeightGradientTuner(even.modules, even.saved);
    const { gradient_batches: steps } = config;
    return {
      tuner,
      steps,
      measures: `the gradients of ${steps} steps' batches`,
      measure: (seed, initial, gradientAt) => measure(even, tuner, config, { seed, initial, gradientAt }),
    };
  },
});

async function measure(even, tuner, config, { seed, initial, gradientAt }) {
  const gradient = await gradientAt(initial);
  const { modules } = even;
  const gradients = modules.map(({ path }) => tuner.gradientOf(path, gradient));
  const importance = modules.map((module, k) =>
    weightImportance(tuner.weight(module), gradients[k], config.importance, module.outFeatures),
  );
  if (!importance.some((value) => value > 0))
    throw new UserError({
      where: 'gora',
      fault: 'found a gradient that is zero everywhere',
      hint: 'Train with method: lora.',
    });
  const ranks = goraRanks(modules, importance, config);
  const ranked = even.withModules(modules.map((module, k) => ({ ...module, rank: ranks[k] })));
  // Computes the initial A of the run. The values of the head have no effect here.
  const values = ranked.initialValues(seed, (_, shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)));
  const { gamma, lora_alpha, direction } = config;
  return {
    ranks,
    scores: importance.map((value) => [value]),
    factors: modules.map(({ path, inFeatures }, k) => {
      const a = ranked.layout.read(values, factorName(path, 'A'));
      const factor = ((direction === 'descent' ? -gamma : gamma) * Math.sqrt(inFeatures)) / lora_alpha;
      return { A: a, B: goraStart(a, gradients[k], ranks[k], factor) };
    }),
  };
}

/**
 * The initial B [out, rank] of GoRA for a given A [rank, in]. The B for which B A is nearest to the gradient G [out,
 * in] is G Aᵀ (A Aᵀ)⁻¹. The result is that B times ξ = γ √in / α. With the scale α / √r, the increment is a step of γ
 * √(in / r) along G.
 *
 * @param factor ξ, negative for a step against the gradient
 */
export function goraStart(a, gradient, rank, factor) {
  const width = a.length / rank;
  const height = gradient.length / width;
  const inverse = inverseGram(a, rank);
  const b = new Float32Array(height * rank);
  const row = new Float64Array(rank);
  for (let i = 0; i < height; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++)
      for (let j = 0; j < width; j++) row[k] += gradient[i * width + j] * a[k * width + j];
    for (let k = 0; k < rank; k++) {
      let sum = 0;
      for (let l = 0; l < rank; l++) sum += row[l] * inverse[l * rank + k];
      b[i * rank + k] = factor * sum;
    }
  }
  return b;
}

/** PEFT's constant that keeps the matrix invertible. */
const EPSILON = 1e-8;

/** (A Aᵀ)⁻¹ of A [rank, width]. */
function inverseGram(a, rank) {
  const width = a.length / rank;
  const gram = Float64Array.from({ length: rank * rank }, (_, at) => {
    const [i, j] = [Math.floor(at / rank), at % rank];
    let sum = i === j ? EPSILON : 0;
    for (let k = 0; k < width; k++) sum += a[i * width + k] * a[j * width + k];
    return sum;
  });
  return symmetricInverse(gram, rank);
}

/** Inverts a symmetric positive definite matrix [size, size] by Gauss-Jordan elimination. */
function symmetricInverse(matrix, size) {
  const left = matrix.slice();
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = 1 / left[pivot * size + pivot];
    for (const rows of [left, inverse]) for (let i = 0; i < size; i++) rows[pivot * size + i] *= scale;
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + pivot];
      if (row === pivot || factor === 0) continue;
      for (const rows of [left, inverse])
        for (let i = 0; i < size; i++) rows[row * size + i] -= factor * rows[pivot * size + i];
    }
  }
  return inverse;
}

/**
 * Finds the gradient of whole weights. Each module gets an increment D [out, in] of zeros. The gradient of D is that of
 * the weight. It also works over integer bases.
 */
export class WeightGradientTuner {
  #read;

  /** @param saved parameters of the model that the run trains, such as its head */
  constructor(modules, saved) {
    this.saved = saved;
    const whole = modules.map(({ path, inFeatures, outFeatures }) => ({
      name: incrementName(path),
      shape: [outFeatures, inFeatures],
    }));
    this.layout = new ParameterLayout([...whole, ...saved]);
    this.sites = whole.map(({ shape: [out, width] }, k) => ({
      path: modules[k].path,
      parameters: out * width,
    }));
  }

  initialValues(_seed, read) {
    this.#read = read;
    return this.layout.readInto(new Float32Array(this.layout.length), this.saved, read);
  }

  inject(flat, _dropout, layout = this.layout) {
    const increment = (path, x) =>
      layout.find(incrementName(path)) &&
      matmul(x, layout.value(flat, incrementName(path)), { transposeB: true });
    return {
      parameter: layout.own(flat),
      increments: (paths, x) => paths.map((path) => increment(path, x)),
    };
  }

  /** The gradient of a module's weight, [out, in], as a view. */
  gradientOf(path, gradient) {
    return this.layout.read(gradient, incrementName(path));
  }

  /** A module's weight as [out, in]. Available after {@link initialValues}. */
  weight(module) {
    const { path, inFeatures, outFeatures, transposed } = module;
    const shape = transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures];
    const stored = this.#read(`${path}.weight`, shape);
    if (!transposed) return stored;
    return stored.map((_, at) => {
      const [row, column] = [Math.floor(at / inFeatures), at % inFeatures];
      return stored[column * outFeatures + row];
    });
  }
}

function incrementName(path) {
  return `${path}.increment`;
}

defineMethod('gora', gora, import.meta);
