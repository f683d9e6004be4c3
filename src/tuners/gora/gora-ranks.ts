import { roundHalfEven } from '../../support/round-half-even.ts';
import type { GoraConfig } from './config.ts';

/** Numbers of features of a module. */
interface Sizes {
  inFeatures: number;
  outFeatures: number;
}

/** The importance I(W): the mean of |W ∘ G| over all elements, or the Frobenius norm of W ∘ G. */
export function weightImportance(
  weight: Float32Array,
  gradient: Float32Array,
  kind: GoraConfig['importance'],
): number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < weight.length; i++) {
    const product = weight[i]! * gradient[i]!;
    sum += Math.abs(product);
    squares += product * product;
  }
  return kind === 'mean' ? sum / weight.length : Math.sqrt(squares);
}

/**
 * Computes ranks from importance. Each module gets a share of the budget in proportion to its importance. Its rank is
 * that share divided by the cost of one rank, within the limits.
 */
export function goraRanks(
  modules: readonly Sizes[],
  importance: readonly number[],
  { r, min_rank, max_rank, features, rounding }: GoraConfig,
): number[] {
  const { least, most } = rankRange(r, min_rank, max_rank);
  const costs = modules.map(({ inFeatures, outFeatures }) => {
    const sum = inFeatures + outFeatures;
    return features === 'sqrt' ? Math.sqrt(sum) : sum;
  });
  const budget = costs.reduce((sum, cost) => sum + cost * r, 0);
  const all = importance.reduce((a, b) => a + b, 0);
  return modules.map(({ inFeatures, outFeatures }, k) => {
    const share = (budget * importance[k]!) / all;
    // GoRA's code rounds the share before it divides.
    const rank =
      rounding === 'nearest'
        ? roundHalfEven(share / costs[k]!)
        : Math.floor(roundHalfEven(share) / costs[k]!);
    // More vectors than features would be linearly dependent.
    return Math.min(Math.max(rank, least), most, inFeatures, outFeatures);
  });
}

/** The limits in the paper's experiments: 4 to 32 for a mean of 8. */
export function rankRange(r: number, least = Math.max(1, Math.floor(r / 2)), most = 4 * r) {
  return { least, most };
}
