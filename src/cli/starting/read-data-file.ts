import { existsSync, statSync } from 'node:fs';
import { partsOf, pictureFolder } from '../../data/node/picture-folder.ts';
import { dataFiles } from '../../data/node/text-files.ts';
import { type Column, describeColumns } from '../../data/table/describe-columns.ts';
import { type ColumnGuess, guessColumns } from '../../data/table/guess-columns.ts';
import { readTable, type Table } from '../../data/table/read-table.ts';
import { PICTURE_NAME } from '../../pictures/pixels.ts';
import { UserError } from '../../support/user-error.ts';

/** A data file whose columns are not chosen yet. */
export interface DataFile {
  path: string;
  table: Table;
  columns: Column[];
  guess: ColumnGuess;
  /** Notices from reading the file. */
  notices: string[];
  /** Whether its rows name pictures. */
  hasPictures: boolean;
  /** The files of training and validation rows, if they differ from `path`. */
  parts: { train: string; validation?: string };
}

/** Matches names of data files. A JSON file is not matched, because it may also be a config. */
const ROWS = /\.(csv|tsv|txt|jsonl|ndjson|parquet|xlsx|xls|ods)(\.gz)?$/i;

/** Whether a command's argument is a data file or a folder of pictures, as opposed to a config or another folder. */
export function isDataFile(path: string): boolean {
  return ROWS.test(path) || isPictureFolder(path);
}

/** Whether a path is a folder of pictures, or of their parts for training and validation. */
export function isPictureFolder(path: string): boolean {
  return (
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true &&
    pictureFolder(partsOf(path).train) !== undefined
  );
}

/**
 * Reads a data file to choose its columns.
 *
 * @throws UserError for a file that is missing, not a table, or has fewer than two columns
 */
export async function readDataFile(path: string): Promise<DataFile> {
  const parts = isPictureFolder(path) ? partsOf(path) : { train: path };
  const [file] = await dataFiles(parts.train, false);
  const notices: string[] = [];
  const table = readTable(
    file!.read((message) => notices.push(message)),
    path,
  );
  const columns = describeColumns(table);
  if (columns.length < 2) {
    const hint = isPictureFolder(path)
      ? 'Put the pictures of each class into a folder with its name.'
      : 'A file to train on has a column of texts and another of labels.';
    const fault = isPictureFolder(path) ? 'has pictures without classes' : 'has one column';
    throw new UserError({ where: path, fault, hint });
  }
  if (table.ragged > 0) {
    const example = 'To skip them, set data.on_bad_row: skip.';
    notices.push(`${table.ragged} rows have another number of fields than the first. ${example}`);
  }
  const guess = guessColumns(columns, table.rows.length);
  const pictured = columns.findIndex((_, i) => table.rows.every((row) => PICTURE_NAME.test(row[i]!.trim())));
  const hasPictures = pictured >= 0;
  return {
    ...{ path, table, columns, notices, hasPictures, parts },
    guess: hasPictures
      ? { ...guess, text: pictured, doubts: guess.doubts.filter((name) => name !== 'text') }
      : guess,
  };
}

/** Returns a path that does not exist yet: `runs/tickets`, or else `runs/tickets-2`. */
export function freePath(path: string): string {
  let free = path;
  for (let number = 2; existsSync(free); number++) free = `${path}-${number}`;
  return free;
}
