import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { detectFormat, firstLine } from '../../../input/data/detect-format.ts';
import { localData } from '../../../input/data/node/text-files.ts';
import { hasOtherLayout, readTable, type Table } from '../../../input/data/table/read-table.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { UserError } from '../../../support/user-error.ts';
import {
  checkedTask,
  type Given,
  type Guess,
  guessData,
  guessFile,
  guessTexts,
  hasColumns,
  plainGuess,
} from '../../../tasks/guess/guess-data.ts';

/** A data file, and what it may be for. */
export interface DataFile {
  path: string;
  /** Missing for files without columns, such as a book. */
  table?: Table;
  /** The best guess first. */
  guesses: readonly Guess[];
  /** Notices from reading the file. */
  notices: string[];
  /** The files or folders of rows for training and validation. */
  parts: { train: string; validation?: string };
}

/** Matches names of data files. A JSON file may also be a config, so its content decides. */
const ROWS = /\.(csv|tsv|txt|jsonl|ndjson|parquet|xlsx|xls|ods|conll|bio|iob)(\.gz)?$/i;
const PROGRAM_OR_CONFIG = /\.(ya?ml|[cm]?[jt]s)$/i;
const PLAIN = /\.txt(\.gz)?$/i;

/** Number of bytes that decide whether a file contains rows of JSON. */
const LOOKED_AT = 4096;

/** Whether a command's argument is data, as opposed to a config or the folder of a run. */
export function isDataFile(path: string): boolean {
  if (path === '-' || ROWS.test(path)) return true;
  if (PROGRAM_OR_CONFIG.test(path) || !existsSync(path)) return false;
  if (statSync(path).isDirectory()) return isPictureFolder(path) || localData.classFiles(path) !== undefined;
  const start = readStart(path);
  if (!/\.json$/i.test(path)) return true;
  // A config in JSON is one object. Its first line does not end with it.
  return (
    /^\s*\[\s*\{|^\s*\{[^\n]*\}\s*\n\s*\{/.test(start) ||
    guessFile(path, start) !== undefined ||
    hasOtherLayout(start)
  );
}

/** The files or folders of rows for training and validation. A folder of pictures may have both. */
export function partsIn(path: string): DataFile['parts'] {
  return isPictureFolder(path) ? localData.findParts(path) : { train: path };
}

function isPictureFolder(path: string): boolean {
  return (
    existsSync(path) &&
    statSync(path).isDirectory() &&
    localData.pictureFolder(localData.findParts(path).train) !== undefined
  );
}

function readStart(path: string): string {
  const bytes = Buffer.alloc(LOOKED_AT);
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes)).replace(/^\ufeff/, '');
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a data file and guesses what it is for.
 *
 * @throws UserError for a file that is missing, is not a table, or from which nothing can be learned
 */
export async function readDataFile(path: string, given: Given = {}): Promise<DataFile> {
  const notices: string[] = [];
  const task = given.task === undefined ? undefined : checkedTask(given.task);
  const parts = partsIn(path);
  const plain = (guesses: Guess[]): DataFile => ({ path, parts, guesses, notices });
  const isFile = existsSync(path) && statSync(path).isFile();
  const found = guessFile(path, isFile ? readStart(path) : '', task);
  if (found) return plain([found]);
  const files = await localData.at(parts.train, false);
  if (task !== undefined && !hasColumns(task) && PLAIN.test(path))
    return plain([plainGuess(task, 'named by --task')]);
  const content = files.map((file) => file.read((message) => notices.push(message))).join('');
  // Folders are read as JSON Lines.
  const table = parseTable(content, path, isFile);
  if (!table || (PLAIN.test(path) && table.columns.length < 2)) {
    return plain(guessTexts(path, task));
  }
  if (table.ragged > 0) {
    const example = 'To skip them, set data.on_bad_row: skip.';
    notices.push(`${table.ragged} rows have another number of fields than the first. ${example}`);
  }
  return { path, parts, table, guesses: guessData(table, given), notices };
}

/** The table in a file. Undefined for a text file whose lines are not rows. */
function parseTable(content: string, path: string, isFile: boolean): Table | undefined {
  try {
    return readTable(content, path, isFile ? {} : { format: 'jsonl' });
  } catch (error) {
    const isPlain = PLAIN.test(path) && content.trim() !== '' && !hasOtherLayout(content);
    if (error instanceof UserError && isPlain) return undefined;
    throw error;
  }
}

/** Saves standard input as a file in the current folder, because a run reads its rows again when it resumes. */
export function saveInput(content: string): string {
  const line = firstLine(content);
  const table = line.includes('\t') ? 'tsv' : /[,;|]/.test(line) ? 'csv' : 'txt';
  const path = freePath('input', detectFormat('', content) === 'jsonl' ? '.jsonl' : `.${table}`);
  atomicWrite(path, content);
  return path;
}

/** Returns a path that does not exist yet: `runs/tickets`, or else `runs/tickets-2`. */
export function freePath(path: string, extension = ''): string {
  let free = `${path}${extension}`;
  for (let number = 2; existsSync(free); number++) free = `${path}-${number}${extension}`;
  return free;
}
