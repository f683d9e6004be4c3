import type { FileContent } from '../media/medium.ts';
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
  /** The digest of the file, as `sourceDigest` computes it. Missing for text in memory and for a folder of images or other media. */
  digest?(): string | Promise<string>;
  /**
   * Returns the bytes of a file that a row names.
   *
   * @throws UserError for a name that leads elsewhere, and for missing and too large files
   */
  openContent?(name: string): Promise<Uint8Array>;
  /** The names of media by the columns with their files, if this one says so: a folder, or parquet. */
  contentColumns?: Readonly<Record<string, string>>;
  /** The contents of the files that rows name, or why they cannot be read. Set for models of a medium. */
  contents?: ReadonlyMap<string, FileContent | Error>;
  /** Class names stored in the file, by column. */
  classes?: ColumnClasses;
}
