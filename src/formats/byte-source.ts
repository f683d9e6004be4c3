/** A file with random access to its bytes, on disk or in memory. */
export interface ByteSource {
  /** The total size in bytes. */
  readonly size: number;
  /** Bytes [begin, end), which must lie within the size. */
  read(begin: number, end: number): Uint8Array;
}

/** A file in memory; reads return views of it. */
export function bytesAsSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}
