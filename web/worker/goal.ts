import type { PageFilesConfig } from '../../src/faces/web/page-config.ts';
import type { Table } from '../../src/input/data/table/read-table.ts';
import { type PairSplit, splitPairs } from '../data/split-pairs.ts';
import { type LabelledSplit, splitRows } from '../data/split-rows.ts';

/** What a model of the page learns: to label texts, or to find the answer to a question. */
export type Goal = 'labels' | 'search';

/** A goal, with its columns: texts and labels, or questions and answers. */
export interface Wish {
  goal: Goal;
  at: readonly [input: number, target: number];
}

/**
 * The rows for a goal.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitFor({ goal, at }: Wish, table: Table): LabelledSplit | PairSplit {
  return goal === 'search' ? splitPairs(table, at) : splitRows(table, at);
}

export function goalOf({ task }: Pick<PageFilesConfig, 'task'>): Goal {
  return task === 'sentence_embedding' ? 'search' : 'labels';
}
