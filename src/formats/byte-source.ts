/** A file of which parts can be read, wherever it lies. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Bytes [begin, end), which must lie within the size. */
  read(begin: number, end: number): Uint8Array;
}

/** A file in memory; what is read are views of it. */
export function bytesAsSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}
