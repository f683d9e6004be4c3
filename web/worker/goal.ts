import type { PageConfig } from '../../src/faces/web/page-config.ts';
import type { PageTable } from '../data/read-table.ts';
import { type PairSplit, splitPairs } from '../data/split-pairs.ts';
import { type LabeledSplit, splitRows } from '../data/split-rows.ts';

/** The skill that a model of the page learns: to label texts or pictures, or to find the answer to a question. */
export type Goal = 'labels' | 'pictures' | 'search';

/** A goal, with its columns: texts or pictures and their labels, or questions and answers. */
export interface Wish {
  goal: Goal;
  at: readonly [input: number, target: number];
}

/**
 * The rows for a goal.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitFor({ goal, at }: Wish, table: PageTable): LabeledSplit | PairSplit {
  return goal === 'search' ? splitPairs(table, at) : splitRows(table, at);
}

export function chooseGoal({ task, model }: Pick<PageConfig, 'task' | 'model'>): Goal {
  if (task === 'sentence_embedding') return 'search';
  // The built-in encoder reads texts only.
  return model === undefined ? 'labels' : 'pictures';
}
