/** A file that is read asynchronously: a `File` in a page, or a file on a server. */
export interface AsyncByteSource {
  readonly size: number;
  /** Reads bytes [begin, end), which must lie within the file. */
  read(begin: number, end: number): Promise<Uint8Array>;
}
