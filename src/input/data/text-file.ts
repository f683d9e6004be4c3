import type { Picture } from '../pictures/picture-reader.ts';
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
  /** The digest of the file, as `sourceDigest` computes it. Missing for text in memory and for a folder of pictures. */
  digest?(): string | Promise<string>;
  /**
   * Returns the bytes of a picture that a row names.
   *
   * @throws UserError for a name that leads elsewhere, and for missing and too large files
   */
  openPicture?(name: string): Promise<Uint8Array>;
  /** Names of the columns with pictures, if the file says so: a folder of pictures, or parquet. */
  pictureColumns?: readonly string[];
  /** The pictures that rows name, or why they cannot be read. Set for models of pictures. */
  pictures?: ReadonlyMap<string, Picture | Error>;
  /** Class names stored in the file, by column. */
  classes?: ColumnClasses;
}
