import type { ColumnClasses } from './parquet/class-names.ts';

/** A text file, read on demand. */
export interface TextFile {
  /** The file's name in messages. */
  name: string;
  /** In bytes, for progress. */
  size: number;
  /**
   * The content without byte-order mark.
   *
   * @param onNotice with it, text that is not UTF-8 is read as spreadsheets write it, with a notice
   */
  read(onNotice?: (message: string) => void): string;
  /** Class names stored in the file, by column. */
  classes?: ColumnClasses;
}
