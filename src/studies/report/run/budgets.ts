import { METHOD_NAMES, methodNamed } from '../../../methods/tuners/registry.ts';
import { finalParameters, newestRanks, type RunRecord } from './run-record.ts';

/** A quantity that measures a budget. */
export interface BudgetMeasure {
  /** The quantity's name on an axis (`name`) and in a sentence (`text`). */
  name: string;
  text: string;
  /** Returns a run's final budget; undefined if it has none, or does not record it. */
  of(run: RunRecord): number | undefined;
}

const PARAMETERS: BudgetMeasure = {
  name: 'parameters',
  text: 'in trained parameters of the adapter at the end',
  of: (run) => finalParameters(run) || undefined,
};

const MEAN_RANK: BudgetMeasure = {
  name: 'mean rank',
  text: 'as mean rank at the end',
  of(run) {
    const ranks = Object.values(newestRanks(run));
    return ranks.length === 0 ? undefined : ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
  },
};

/**
 * The quantity for comparing the budgets of these runs: the number of parameters. If a run with ranks does not record
 * its parameters, it is the mean rank.
 */
export function budgetMeasure(runs: readonly RunRecord[]): BudgetMeasure {
  const isTold = runs.every((run) => MEAN_RANK.of(run) === undefined || PARAMETERS.of(run) !== undefined);
  return isTold ? PARAMETERS : MEAN_RANK;
}

/** Whether a setting, by its dotted key, controls how much a method trains. */
export function isBudgetKey(key: string): boolean {
  const [section, name] = key.split('.') as [string, string];
  const method = METHOD_NAMES.find((method) => method === section);
  return method !== undefined && (methodNamed(method).words.budgetKeys?.includes(name) ?? false);
}
