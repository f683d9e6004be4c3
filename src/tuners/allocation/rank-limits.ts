import { UserError } from '../../support/user-error.ts';
import { checkPatternKeys, patternValue } from '../low-rank/pattern-value.ts';
import type { PruningConfig } from './pruning-shape.ts';

/** Limits for the ranks of modules, independent of importance. */
export interface RankLimits {
  min: number;
  max: number;
  /** The index of each module's group; -1 for modules without a group. */
  groups: Int32Array;
  /** The maximum share of the budget for each group, from 0 to 1. */
  quotas: readonly number[];
}

type LimitConfig = Partial<Pick<PruningConfig, 'min_rank' | 'max_rank' | 'quotas'>>;

/** The limits in a config. Undefined if it has none. */
export function rankLimits(config: LimitConfig, modules: readonly string[]): RankLimits | undefined {
  const { min_rank: min = 0, max_rank: max = Infinity, quotas = {} } = config;
  if (min === 0 && max === Infinity && Object.keys(quotas).length === 0) return undefined;
  const numbers = Object.fromEntries(Object.keys(quotas).map((key, i) => [key, i]));
  return {
    ...{ min, max },
    groups: Int32Array.from(modules, (path) => patternValue(numbers, path) ?? -1),
    quotas: Object.values(quotas).map((share) => Number.parseFloat(share) / 100),
  };
}

/**
 * Checks that limits are consistent with each other and with the final budget.
 *
 * @param spends whether the budget covers the minimum rank of every module
 * @throws UserError that names the key
 */
export function checkLimits(
  { min_rank: min = 0, max_rank: max = Infinity, quotas = {} }: LimitConfig,
  modules: readonly string[],
  method: string,
  spends: (ranks: readonly number[]) => boolean,
): void {
  checkPatternKeys(
    Object.fromEntries(Object.keys(quotas).map((key) => [key, 0])),
    modules,
    `${method}.quotas`,
  );
  if (min > max)
    throw new UserError({
      where: `${method}.min_rank`,
      fault: `must be at most max_rank (${max}), got ${min}`,
    });
  if (min === 0 || spends(modules.map(() => min))) return;
  throw new UserError({
    where: `${method}.min_rank`,
    fault: `${min} in each of ${modules.length} modules exceeds the budget`,
    hint: 'Lower min_rank, or raise the target.',
  });
}
