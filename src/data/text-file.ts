import type { ColumnClasses } from './parquet/class-names.ts';

/** A file of text, read when it is needed. */
export interface TextFile {
  /** As messages call it. */
  name: string;
  /** In bytes, for progress. */
  size: number;
  /**
   * Its content without byte-order mark.
   *
   * @param onNotice with it, text that is not UTF-8 is read as spreadsheets write it, and that is told
   */
  read(onNotice?: (message: string) => void): string;
  /** Classes that the file knows by name, by column. */
  classes?: ColumnClasses;
}
