import { METHOD_NAMES, methodNamed } from '../../tuners/registry.ts';
import { newestRanks, type RunRecord } from './run-record.ts';

/** Something that a budget is measured in. */
export interface BudgetMeasure {
  /** On an axis, and in a sentence. */
  name: string;
  text: string;
  /** What a run keeps in the end; undefined where it has none, or does not tell. */
  of(run: RunRecord): number | undefined;
}

const PARAMETERS: BudgetMeasure = {
  name: 'parameters',
  text: 'in trained parameters of the adapter at the end',
  of({ start, finish, allocations }) {
    // Logs of older versions tell only what there was at the start.
    const isConstant = allocations.length === 0;
    const kept = finish?.adapter_parameters ?? (isConstant ? start?.adapter_parameters : undefined);
    return kept ? kept : undefined;
  },
};

const MEAN_RANK: BudgetMeasure = {
  name: 'mean rank',
  text: 'as mean rank at the end',
  of(run) {
    const ranks = Object.values(newestRanks(run));
    return ranks.length === 0 ? undefined : ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
  },
};

/** What these runs' budgets can be compared in: parameters, unless one has ranks and does not tell its parameters. */
export function budgetMeasure(runs: readonly RunRecord[]): BudgetMeasure {
  const isTold = runs.every((run) => MEAN_RANK.of(run) === undefined || PARAMETERS.of(run) !== undefined);
  return isTold ? PARAMETERS : MEAN_RANK;
}

/** Whether a setting, by its dotted key, says how much a method trains. */
export function isBudgetKey(key: string): boolean {
  const [section, name] = key.split('.');
  const method = METHOD_NAMES.find((method) => method === section);
  return method !== undefined && (methodNamed(method).words.budgetKeys?.includes(name) ?? false);
}
