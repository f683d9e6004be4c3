import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import type { DataParts } from '../../../input/data/data-parts.ts';
import { parseSlice } from '../../../input/data/data-parts.ts';
import { detectFormat, firstLine } from '../../../input/data/detect-format.ts';
import { beginsWrappedList } from '../../../input/data/json-lines.ts';
import { localData } from '../../../input/data/node/text-files.ts';
import { hasOtherLayout, readTable, type Table } from '../../../input/data/table/read-table.ts';
import { trainingRows } from '../../../input/data/table/row-slice.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { UserError } from '../../../support/user-error.ts';
import { type Column, describeColumns } from '../../../tasks/guess/columns.ts';
import {
  checkedTask,
  type Given,
  type Guess,
  guessData,
  guessFile,
  guessTexts,
  hasColumns,
  joinLabels,
} from '../../../tasks/guess/guess-data.ts';
import { configIn } from '../config-path.ts';

/** A data file, and what it may be for. */
export interface DataFile {
  path: string;
  /** Missing for files without columns, such as a book. */
  table?: Table;
  columns?: readonly Column[];
  /** The best guess first. */
  guesses: readonly Guess[];
  /** Notices from reading the file. */
  notices: string[];
  /** The files or folders of rows, or the slices of a file by its column `split`. */
  parts: DataParts;
}

/** Matches names of data files. A JSON file may also be a config, so its content decides. */
const ROWS = /\.(csv|tsv|txt|jsonl|ndjson|parquet|xlsx|xls|ods|conll|bio|iob)(\.gz)?$/i;
const PROGRAM_OR_CONFIG = /\.(ya?ml|[cm]?[jt]s)$/i;
const PLAIN = /\.txt(\.gz)?$/i;

/** Number of bytes that decide whether a file contains rows of JSON. */
const LOOKED_AT = 4096;

/** Whether a command's argument is data, as opposed to a config or the folder of a run. */
export function isDataFile(argument: string): boolean {
  const path = dropSlice(argument);
  if (path === '-' || ROWS.test(path)) return true;
  if (PROGRAM_OR_CONFIG.test(path) || !existsSync(path)) return false;
  if (configIn(path) !== undefined) return false;
  const stats = statSync(path);
  if (stats.isDirectory()) return hasRows(localData.findParts(path).train);
  // A device or a pipe is refused when it is read.
  if (!stats.isFile()) return true;
  const start = readStart(path);
  if (!/\.json$/i.test(path)) return true;
  // A config in JSON is one object. Its first line does not end with it.
  return (
    /^\s*\[\s*\{|^\s*\{[^\n]*\}\s*\n\s*\{/.test(start) ||
    guessFile(path, start) !== undefined ||
    hasOtherLayout(start) ||
    beginsWrappedList(start)
  );
}

/** The file of a path, which may be a slice: `tickets.csv` for `tickets.csv#split=train`. */
export function dropSlice(path: string): string {
  return parseSlice(path)?.path ?? path;
}

/** The parts of a folder of images or other files, or of text files by class. */
export function partsIn(path: string): DataParts {
  const parts = localData.findParts(path);
  return hasRows(parts.train) ? parts : { train: path };
}

/** Whether a path is a folder of images or other files, or of text files by class. */
function hasRows(path: string): boolean {
  return (
    existsSync(path) &&
    statSync(path).isDirectory() &&
    (localData.mediaFolder(path) ?? localData.classFiles(path)) !== undefined
  );
}

/** The test set of the training rows in a config: of a folder's parts, or of a file's slices. */
export async function findTestSet(path: string, train: unknown): Promise<string | undefined> {
  if (typeof train !== 'string') return undefined;
  const { parts } = parseSlice(train) ? await readRows(path) : { parts: partsIn(path) };
  return parts.train === train ? parts.test : undefined;
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
  const task = given.task === undefined ? undefined : checkedTask(given.task);
  const plain = (guesses: Guess[], notices: string[] = []): DataFile => ({
    path,
    parts: partsIn(path),
    guesses,
    notices,
  });
  const isFile = existsSync(path) && statSync(path).isFile();
  const found = guessFile(path, isFile ? readStart(path) : '', task);
  if (found) return plain([found]);
  if (task !== undefined && !hasColumns(task) && PLAIN.test(path)) return plain(guessTexts(path, task));
  const { parts, table, notices } = await readRows(path);
  if (!table || (PLAIN.test(path) && table.columns.length < 2)) return plain(guessTexts(path, task), notices);
  const joined = given.label === undefined ? joinLabels(table) : table;
  const columns = describeColumns(joined);
  const guesses = guessData(joined, given, columns);
  const unused = unusedColumns(joined, parts, guesses[0]!);
  if (unused.length > 0) notices.push(`Columns that are not used: ${unused.join(', ')}.`);
  const empty = joined.rows.length - (columns[guesses[0]!.at.text ?? -1]?.filled ?? joined.rows.length);
  if (empty > 0) notices.push(`${empty === 1 ? '1 row has' : `${empty} rows have`} an empty text.`);
  return { path, parts, table: joined, columns, guesses, notices };
}

/** The columns with content that neither a guess nor a slice uses. A task without columns reads the keys of JSON itself. */
function unusedColumns(
  { columns, rows, nested, hasHeader }: Table,
  parts: DataParts,
  { at }: Guess,
): string[] {
  const used = new Set(Object.values(at));
  if (used.size === 0) return [];
  const hasContent = (i: number) =>
    nested?.get(columns[i]!) === 'object' || rows.some((row) => row[i] !== '');
  const slice = parseSlice(parts.train)?.column;
  const isUnnamed = (name: string) => hasHeader && /^column \d+$/.test(name);
  return columns.filter((name, i) => !used.has(i) && name !== slice && !isUnnamed(name) && hasContent(i));
}

/** The training rows of a file or folder as a table, if they are one. */
export async function readRows(
  path: string,
): Promise<Pick<DataFile, 'parts' | 'table' | 'notices'> & { content: string }> {
  const notices: string[] = [];
  const parts = partsIn(path);
  const files = await localData.at(parts.train, false);
  const content = files.map((file) => file.read((message) => notices.push(message))).join('');
  const table = parseTable(content, files.length === 1 ? files[0]!.name : path);
  if (!table) return { parts, notices, content };
  if (table.ragged > 0) {
    const rows = table.ragged === 1 ? '1 row has' : `${table.ragged} rows have`;
    notices.push(
      `${rows} another number of fields than the first (line ${table.raggedAt}). To skip them, set data.on_bad_row: skip.`,
    );
  }
  if (files.length > 1) return { parts, table, notices, content };
  const { notice, ...training } = trainingRows(table, parts.train);
  return { parts, ...training, content, notices: notice === undefined ? notices : [...notices, notice] };
}

/** The table in a file. Undefined for a text file whose lines are not rows. */
function parseTable(content: string, path: string): Table | undefined {
  try {
    return readTable(content, path);
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
