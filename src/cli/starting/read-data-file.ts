import { existsSync } from 'node:fs';
import { dataFiles } from '../../data/node/text-files.ts';
import { type Column, describeColumns } from '../../data/table/describe-columns.ts';
import { type ColumnGuess, guessColumns } from '../../data/table/guess-columns.ts';
import { readTable, type Table } from '../../data/table/read-table.ts';
import { UserError } from '../../support/user-error.ts';

/** A data file whose columns are not chosen yet. */
export interface DataFile {
  path: string;
  table: Table;
  columns: Column[];
  guess: ColumnGuess;
  /** Notices from reading the file. */
  notices: string[];
}

/** Matches names of data files. A JSON file is not matched, because it may also be a config. */
const ROWS = /\.(csv|tsv|txt|jsonl|ndjson|parquet|xlsx|xls|ods)(\.gz)?$/i;

/** Whether a command's argument is a data file, as opposed to a config or a folder. */
export function isDataFile(path: string): boolean {
  return ROWS.test(path);
}

/**
 * Reads a data file to choose its columns.
 *
 * @throws UserError for a file that is missing, not a table, or has fewer than two columns
 */
export async function readDataFile(path: string): Promise<DataFile> {
  const [file] = await dataFiles(path, false);
  const notices: string[] = [];
  const table = readTable(
    file!.read((message) => notices.push(message)),
    path,
  );
  const columns = describeColumns(table);
  if (columns.length < 2) {
    const hint = 'A file to train on has a column of texts and another of labels.';
    throw new UserError({ where: path, fault: 'has one column', hint });
  }
  if (table.ragged > 0) {
    const example = 'To skip them, set data.on_bad_row: skip.';
    notices.push(`${table.ragged} rows have another number of fields than the first. ${example}`);
  }
  return { path, table, columns, guess: guessColumns(columns, table.rows.length), notices };
}

/** Returns a path that does not exist yet: `runs/tickets`, or else `runs/tickets-2`. */
export function freePath(path: string): string {
  let free = path;
  for (let number = 2; existsSync(free); number++) free = `${path}-${number}`;
  return free;
}
