import { detectFormat } from '../data/detect-format.ts';
import { isLanguageTask, type LanguageTask, type TaskName } from '../data/task-type.ts';
import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import { TASK_SETTINGS } from '../run/config/task-settings.ts';
import type { AdapterNotes } from '../trained/node/adapter-notes.ts';
import type { ReadingOf } from '../tasks/task-definition.ts';
import type { DataFlags } from './flags.ts';
import { type Columns, jsonKeys, useColumns } from './use-columns.ts';

/**
 * How to read a file of labelled rows, or of text, for a trained model: as in its run, except for what flags say.
 *
 * @throws UserError for a flag that means nothing for the model's task
 */
export function readingFlags(
  { task, data }: AdapterNotes,
  file: string,
  flags: DataFlags,
): Partial<ReadingOf<TaskName>> {
  if (!isLanguageTask(task)) {
    const columns = useColumns({ ...data, task } as Columns, flags, true);
    return detectFormat(file, '') === 'jsonl' ? jsonKeys(columns) : columns;
  }
  const known = Object.keys(TASK_SETTINGS[task].data.shape);
  for (const [key, value] of Object.entries(flags)) {
    if (!known.includes(key)) throw meaningless(key, task);
    if (typeof value === 'number') throw numbered(key, value);
  }
  // A text by name takes the place of whatever the run read.
  const others = { prompt: undefined, completion: undefined, messages: undefined };
  return { ...(flags.text !== undefined && others), ...flags } as Partial<ReadingOf<TaskName>>;
}

function meaningless(key: string, task: LanguageTask): UserError {
  const hint = suggest(key, ['text', 'max_length']);
  const expected = `a flag for task ${task}`;
  return new UserError({ where: `--${key}`, expected, got: 'one for labelled rows', hint });
}

function numbered(key: string, column: number): UserError {
  return new UserError({ where: `--${key}`, expected: 'the name of a key', got: `column number ${column}` });
}
