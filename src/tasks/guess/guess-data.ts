import type { Table } from '../../data/table/read-table.ts';
import { TEXT_NAME } from '../../data/text-name.ts';
import { allOf } from '../../support/all-of.ts';
import { suggestAmong } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { TASK_NAMES, type TaskName, taskNamed } from '../registry.ts';
import { type Column, describeColumns, isId, isScale, isText, mayBeLabel, repeats } from './columns.ts';

/** One way to learn from a table. */
export interface Guess {
  task: TaskName;
  /** The columns, by keys of the `data` section. */
  at: Readonly<Partial<Record<ColumnKey, number>>>;
  /** Separator of the labels in a field, for several labels. */
  separator?: string;
  /** What a model learns: `classify "message" by "queue"`. */
  learns: string;
  /** Why the columns and the task were chosen. */
  reasons: Readonly<Partial<Record<ColumnKey | 'task', string>>>;
}

/** What a user has said about a file. Columns are names, or numbers from 0. */
export interface Given {
  task?: string | undefined;
  columns?: Readonly<Partial<Record<ColumnKey, string | number>>> | undefined;
}

export const COLUMN_KEYS = [
  ...['text', 'text_pair', 'label', 'anchor', 'positive', 'source', 'target', 'prompt', 'completion'],
] as const;
export type ColumnKey =
  | 'text'
  | 'text_pair'
  | 'label'
  | 'anchor'
  | 'positive'
  | 'source'
  | 'target'
  | 'prompt'
  | 'completion';
