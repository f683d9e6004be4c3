/** A label as the file writes it: one name or number, or a list of names for multi-label data. */
export type RawLabel = string | readonly string[];

/** One labelled example. */
export interface Row {
  /** Line of the file on which the row starts, from 1. */
  line: number;
  text: string;
  textPair?: string;
  label?: RawLabel;
}

/** Columns by header name (or JSON key), or by number from 0. Keys are those of the `data` section of a config. */
export interface DataColumns {
  text: string | number;
  text_pair?: string | number;
  /** Left out, rows carry no label. Given, every row must have one. */
  label?: string | number;
}

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
  /** Default: by the name's extension, see `detectFormat`. Needed for standard input only. */
  format?: FileFormat;
}
