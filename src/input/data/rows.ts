import { InvalidData, shown, UserError, type UserErrorCode } from '../../support/user-error.ts';
import type { FileContent } from '../media/medium.ts';
import type { TextFile } from './text-file.ts';

/** A label in a file: one name or number, or a list of names for multi-label data. */
export type RawLabel = string | readonly string[];

/** One labeled example. */
export interface Row {
  /** The line of the file on which the row starts, from 1. */
  line: number;
  text: string;
  textPair?: string;
  /** The texts of other columns. Their number may differ by row. */
  others?: readonly string[];
  /** The content of the file that `text` names, for models of a medium. */
  content?: FileContent;
  /** A name that rows with near-equal contents share. */
  alike?: string;
  /** The row's id, from a column `index`, `idx` or `id`. Only rows without labels have one. */
  id?: string;
  /** The row's index in the file, from 0. Only set if earlier rows were skipped. */
  place?: number;
  label?: RawLabel;
}

/** Columns by name (header or JSON key), or by number from 0. The keys are those of a config's `data` section. */
interface DataColumns {
  text: string | number;
  text_pair?: string | number;
  /** Columns of further texts. A column may lack one, or have a list of them in JSON. */
  others?: readonly (string | number)[];
  /**
   * With this column, every row must have a label. Without it, no row has one. A list names a column for each label, with
   * 1 if the label applies and 0 if not.
   */
  label?: string | number | readonly (string | number)[];
}

/** Whether a value says that a column's label applies, as 1 or true. Undefined for any other value than these and 0 or false. */
export function readFlag(value: unknown): boolean | undefined {
  return { '1': true, '1.0': true, true: true, '0': false, '0.0': false, false: false }[
    String(value).trim().toLowerCase()
  ];
}

/** Whether all values of a column say whether its label applies. */
export function areFlags(values: readonly string[]): boolean {
  return values.every((value) => readFlag(value) !== undefined);
}

/**
 * The labels that apply to a row with a column for each label. Undefined after a problem.
 *
 * @param values the row's value in each column
 */
export function labelFromFlags(
  names: readonly (string | number)[],
  values: readonly unknown[],
  { listed }: DataOptions,
  line: number,
  problems: RowProblems,
): RawLabel | undefined {
  const flags = values.map(readFlag);
  const strange = flags.indexOf(undefined);
  const label = names.filter((_, i) => flags[i]).map(String);
  if (strange < 0 && (listed || label.length === 1)) return listed ? label : label[0]!;
  const fault =
    strange < 0
      ? `has ${label.length} of the labels ${names.join(', ')} instead of one`
      : `has ${shown(values[strange])} in column ${names[strange]}, instead of 0 or 1`;
  problems.add(line, { kind: strange < 0 ? 'one label' : 'flag', fault });
  return undefined;
}

export const ON_BAD_ROW = ['error', 'skip'] as const;

/** Names of id columns in GLUE's files and in datasets on the Hub. */
export const ROW_IDS = ['index', 'idx', 'id'];

/** Called with the problems of skipped rows and the number of these rows. */
export type OnSkipped = (message: string, count: number) => void;

export type FileFormat = 'tsv' | 'csv' | 'jsonl';

/** How to read a data file. */
export interface DataOptions extends DataColumns {
  /** Whether a label is a list of names. */
  listed?: boolean;
  /** Whether the first line names the columns. Default: yes if any column is given by name. */
  header?: boolean;
  /** Whether double quotes enclose fields. Default: yes with commas, no with tabs (GLUE). */
  quote?: boolean;
  /** Separator of the labels of one row in a multi-label TSV or CSV. Default: `;`. */
  label_separator?: string;
  /** Whether a row that cannot be read is an error (the default) or skipped; see `parseRows`. */
  on_bad_row?: (typeof ON_BAD_ROW)[number];
  /** Separator of the fields of a table. Default: by the format. */
  delimiter?: string;
  /** Default: by the file's extension, see `detectFormat`. Only needed for standard input. */
  format?: FileFormat;
}

/** Maximum lines listed per kind of problem: enough to see the pattern. */
const MAX_SHOWN = 5;

export type RowProblem = { hint?: string; code?: UserErrorCode } & (
  | { /** A noun phrase, for the message `needs …, got …`. */ needs: string; got: string }
  | {
      /** The predicate of a sentence whose subject is the place of the row. */
      fault: string;
      /** Problems of the same kind are reported together, although their values differ. */
      kind?: string;
    }
);

/** The problem of a row that names a file that cannot be read. */
export function unreadable(reason: string): RowProblem {
  return { kind: 'file', fault: `names a file that cannot be read: ${reason.replace(/\.$/, '')}` };
}

/** A line number, or the row's name if the file has no lines. */
type Place = number | string;

/** Collects the problems with a file's rows, to report all in one message. */
export class RowProblems {
  readonly fileName: string;
  #rows = 0;
  #last: Place | undefined;
  readonly #kinds = new Map<string, { first: RowProblem; places: Place[]; count: number }>();

  constructor(fileName: string) {
    this.fileName = fileName;
  }

  /** Number of rows with problems. */
  get count(): number {
    return this.#rows;
  }

  /** Starts a new row. In a list on one line, all rows have the same place. */
  beginRow(): void {
    this.#last = undefined;
  }

  /** Records a problem at a place. Problems of one kind are reported together. */
  add(place: Place, problem: RowProblem): void {
    if (place !== this.#last) this.#rows++;
    this.#last = place;
    const name = 'fault' in problem ? (problem.kind ?? problem.fault) : problem.needs;
    const kind = this.#kinds.get(name);
    if (!kind) {
      this.#kinds.set(name, { first: problem, places: [place], count: 1 });
      return;
    }
    kind.count++;
    if (kind.places.length < MAX_SHOWN) kind.places.push(place);
  }

  /**
   * @throws UserError with file and line if any problem was recorded
   */
  throwIfAny(): void {
    if (this.#kinds.size === 0) return;
    const codes = new Set([...this.#kinds.values()].map(({ first }) => first.code ?? 'invalid_data'));
    throw new UserError(this.#messages().join('\n'), codes.size === 1 ? [...codes][0] : 'invalid_data');
  }

  /**
   * Reports the skipped rows and their problems.
   *
   * @param kept number of rows that are not skipped
   * @throws UserError if all rows are skipped
   */
  tellSkipped(kept: number, tell: OnSkipped): void {
    if (this.#rows === 0) return;
    if (kept === 0) this.throwIfAny();
    const skipped = this.#rows === 1 ? '1 row is' : `${this.#rows} rows are`;
    tell(`${skipped} skipped. ${this.#messages().join(' ')}`, this.#rows);
  }

  #messages(): string[] {
    return [...this.#kinds.values()].map(({ first, places, count }) => {
      const isLine = typeof places[0] === 'number';
      const where = `${this.fileName}${isLine ? ':' : ', '}${places[0]}`;
      const fault = 'fault' in first ? first.fault : `needs ${first.needs}, got ${first.got}`;
      const { message } = new InvalidData({ where, fault, hint: first.hint });
      if (count === 1) return message;
      const more = count > places.length ? ` and ${count - places.length} more` : '';
      return `${message} The same in ${count} rows: ${isLine ? 'lines ' : ''}${places.join(', ')}${more}.`;
    });
  }
}

/** Even a short row takes several hundred bytes, so 2 million rows take about a gigabyte. */
const MAX_ROWS = 2_000_000;

/** Throws a UserError for a file with more rows (or lines, in files with one word per line) than fit in memory. */
export function checkRowCount(rows: number, fileName: string): void {
  if (rows <= MAX_ROWS) return;
  const hint = 'Split the file, or train on a part of it.';
  throw new InvalidData({ where: fileName, fault: `has more than ${MAX_ROWS} rows`, hint });
}

/** Rows from a program, as objects like those in JSON Lines. */
export type Rows = readonly object[];

/** Rows from a program: a list, or an async iterable that is read in order. */
export type RowSource = Rows | AsyncIterable<object>;

export function isAsyncRows(value: unknown): value is AsyncIterable<object> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Whether a value is a list of rows, as opposed to file names. */
export function isRows(value: unknown): value is Rows {
  return Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null);
}

/**
 * Converts rows to JSON Lines.
 *
 * @param where the rows' name in messages
 * @throws UserError for values that JSON cannot contain, such as a BigInt
 */
export function rowsText(rows: Rows, where: string): string {
  return rows.map((row, i) => `${formatJson(row, `${where}, row ${i + 1}`)}\n`).join('');
}

function formatJson(row: object, where: string): string {
  try {
    return JSON.stringify(row);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [reason] = error.message.split('\n', 1);
    throw new InvalidData({ where, fault: `cannot be written as JSON: ${reason}` });
  }
}

/** A file in memory with this content. */
export function textInMemory(name: string, text: string): TextFile {
  return { name, size: text.length, read: () => text };
}
