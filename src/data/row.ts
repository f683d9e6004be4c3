/** A label as the file writes it: one name or number, or a list of names for multi-label data. */
export type RawLabel = string | readonly string[];

/** One labelled example. */
export interface Row {
  /** Line of the file on which the row starts, from 1. */
  line: number;
  text: string;
  textPair?: string;
  /** What the file calls the row, in a column `index`, `idx` or `id`: for rows without labels. */
  id?: string;
  /** Its place among all rows of the file, from 0, where rows before it were left out. */
  place?: number;
  label?: RawLabel;
}

/** Columns by header name (or JSON key), or by number from 0. Keys are those of the `data` section of a config. */
export interface DataColumns {
  text: string | number;
  text_pair?: string | number;
  /** Left out, rows carry no label. Given, every row must have one. */
  label?: string | number;
}

export const ON_BAD_ROW = ['error', 'skip'] as const;

/** Columns that number rows, as GLUE's files and the Hub's have them. */
export const ROW_IDS = ['index', 'idx', 'id'];

/** Told of rows that are left out: what is wrong with them, and how many they are. */
export type OnSkipped = (message: string, count: number) => void;

export type FileFormat = 'tsv' | 'csv' | 'jsonl';

/** How to read a file of rows. */
export interface DataOptions extends DataColumns {
  /** Whether a label is a list of names. */
  listed?: boolean;
  /** Whether the first line names the columns. Default: yes if any column is given by name. */
  header?: boolean;
  /** Whether a double quote encloses fields. Default: yes where commas separate, no where tabs do (GLUE). */
  quote?: boolean;
  /** Separates the labels of one row in a multi-label TSV or CSV. Default: `;`. */
  label_separator?: string;
  /** Whether a row that cannot be read is an error (the default) or left out; see `parseRows`. */
  on_bad_row?: (typeof ON_BAD_ROW)[number];
  /** What separates the fields of a table. Default: by the format. */
  delimiter?: string;
  /** Default: by the name's extension, see `detectFormat`. Needed for standard input only. */
  format?: FileFormat;
}
