import type { ColumnClasses } from './parquet/class-names.ts';

/** A file of text, read when it is needed. */
export interface TextFile {
  /** As messages call it. */
  name: string;
  /** In bytes, for progress. */
  size: number;
  /** Its content without byte-order mark. */
  read(): string;
  /** Classes that the file knows by name, by column. */
  classes?: ColumnClasses;
}
