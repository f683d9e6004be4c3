import { defineMethod } from 'adalora';
import { elasticLora, elasticShape, factorName, z } from 'adalora/tuners';

/** FlexLoRA's settings, with the names and defaults of the released code. */
export const flexLoraConfigSchema = z.strictObject({
  ...elasticShape,
  /**
   * Which triplet a matrix loses: the one with the smallest |λ| (`magnitude`), or with the smallest λ (`signed`, as in
   * the released code).
   */
  removal: z.enum(['magnitude', 'signed']).default('magnitude'),
});

/** Keeps the logarithm finite, as in the released code. */
const EPSILON = 1e-8;

/**
 * The entropy of a matrix's spectrum, from 0 (one strong triplet) to 1 (all equal). It is the entropy of the shares λ²
 * / Σ λ², divided by log r. For a single triplet, and if all λ are 0, it is undefined. Then the result is infinite, so
 * that the matrix can only grow.
 */
export function spectralEntropy(lambdas) {
  const squares = Array.from(lambdas, (value) => value * value);
  const sum = squares.reduce((a, b) => a + b, 0);
  if (squares.length < 2 || !(sum > 0)) return Number.POSITIVE_INFINITY;
  const entropy = squares.reduce(
    (total, square) => total - (square / sum) * Math.log(square / sum + EPSILON),
    0,
  );
  return entropy / Math.log(squares.length);
}

/**
 * Moves ranks from the matrices with the most concentrated spectra to those with the flattest (FlexLoRA, ICLR 2026,
 * arXiv 2601.22905). It needs no gradients and keeps no state between steps.
 */
export class FlexLoraPolicy {
  constructor(config, draw) {
    this.config = config;
    this.draw = draw;
  }

  decide(b, step, tuner, values) {
    const { modules, layout } = tuner;
    const lambdas = modules.map(({ path }) => layout.read(values, factorName(path, 'E')));
    const entropies = lambdas.map(spectralEntropy);
    const order = [...modules.keys()].sort((i, j) => ascending(entropies[i], entropies[j]));
    const shrinking = new Set(order.filter((k) => modules[k].rank > 1).slice(0, b));
    // Among equal entropies, the first matrix is chosen, as in the released code.
    const descending = order.toSorted((i, j) => ascending(entropies[j], entropies[i]) || i - j);
    const added = new Map(descending.slice(0, b).map((k) => [k, [this.#newTriplet(modules[k], step)]]));
    const changes = modules.map(({ rank }, k) => {
      const dropped = shrinking.has(k) ? this.#weakest(lambdas[k]) : -1;
      const kept = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== dropped);
      return { kept, added: added.get(k) ?? [] };
    });
    const scores = lambdas.map((own) => own.map(Math.abs));
    return { changes, scores };
  }

  /** Makes a triplet of standard normal vectors, as in the released code. With λ = 0 it does not change the model. */
  #newTriplet({ path, inFeatures, outFeatures }, step) {
    return {
      a: this.draw(`${path} row`, step, inFeatures),
      b: this.draw(`${path} column`, step, outFeatures),
      lambda: 0,
    };
  }

  #weakest(lambdas) {
    const size = this.config.removal === 'signed' ? lambdas : lambdas.map(Math.abs);
    return size.indexOf(size.reduce((a, b) => Math.min(a, b), Infinity));
  }
}

function ascending(a, b) {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** FlexLoRA (ICLR 2026, arXiv 2601.22905): ranks move depending on the entropy of each matrix's spectrum. */
export const flexLora = elasticLora({
  method: 'flexlora',
  title: 'FlexLoRA',
  config: flexLoraConfigSchema,
  averages: 0,
  variants: ({ removal }) => (removal === 'signed' ? ['removal by the sign of λ'] : []),
  policy: (config, draw) => new FlexLoraPolicy(config, draw),
});

defineMethod('flexlora', flexLora, import.meta);
