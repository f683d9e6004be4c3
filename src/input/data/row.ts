import type { Picture } from '../pictures/picture-reader.ts';

/** A label in a file: one name or number, or a list of names for multi-label data. */
export type RawLabel = string | readonly string[];

/** One labelled example. */
export interface Row {
  /** The line of the file on which the row starts, from 1. */
  line: number;
  text: string;
  textPair?: string;
  /** The picture that `text` names, for models of pictures. */
  picture?: Picture;
  /** A name that near-equal pictures of a file share. */
  alike?: string;
  /** The row's id, from a column `index`, `idx` or `id`. Only rows without labels have one. */
  id?: string;
  /** The row's index in the file, from 0. Only set if earlier rows were skipped. */
  place?: number;
  label?: RawLabel;
}

/** Columns by name (header or JSON key), or by number from 0. The keys are those of a config's `data` section. */
export interface DataColumns {
  text: string | number;
  text_pair?: string | number;
  /** With this column, every row must have a label. Without it, no row has one. */
  label?: string | number;
}

export const ON_BAD_ROW = ['error', 'skip'] as const;

/** Names of id columns in GLUE's files and in data sets on the Hub. */
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
