import type { ColumnClasses } from './parquet/class-names.ts';

/** A text file that is read on demand. */
export interface TextFile {
  /** The file's name in messages. */
  name: string;
  /** Size in bytes, for progress. */
  size: number;
  /**
   * Returns the content without byte-order mark.
   *
   * @param onNotice called with a notice if text that is not UTF-8 is read as spreadsheets write it; without
   * `onNotice`, such text is an error
   */
  read(onNotice?: (message: string) => void): string;
  /** Class names stored in the file, by column. */
  classes?: ColumnClasses;
}
