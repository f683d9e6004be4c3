/** A file with slow access to its parts: a `File` in a page, or a file on a server. */
export interface AsyncByteSource {
  /** The total size in bytes. */
  readonly size: number;
  /** Bytes [begin, end), which must lie within the size. */
  read(begin: number, end: number): Promise<Uint8Array>;
}
