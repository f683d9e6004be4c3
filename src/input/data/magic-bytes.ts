/** Whether bytes are compressed by gzip. */
export function isGzip(bytes: Uint8Array): boolean {
  return begins(bytes, [0x1f, 0x8b]);
}

/** Whether bytes are a parquet file. */
export function isParquet(bytes: Uint8Array): boolean {
  return begins(bytes, [0x50, 0x41, 0x52, 0x31]);
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}
