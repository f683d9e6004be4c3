/** A file with random access, on disk or in memory. */
export interface ByteSource {
  readonly size: number;
  /** Reads bytes [begin, end), which must lie within the file. */
  read(begin: number, end: number): Uint8Array;
}

/** A file that is read asynchronously: a `File` in a page, or a file on a server. */
export interface AsyncByteSource {
  readonly size: number;
  /** Reads bytes [begin, end), which must lie within the file. */
  read(begin: number, end: number): Promise<Uint8Array>;
}

/** A file in memory. `read` returns views of its bytes. */
export function bytesAsSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}
