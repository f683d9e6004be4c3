/** A file of which parts can be read where that takes a while: a `File` of the user's, or one on a server. */
export interface AsyncByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Bytes [begin, end), which must lie within the size. */
  read(begin: number, end: number): Promise<Uint8Array>;
}
