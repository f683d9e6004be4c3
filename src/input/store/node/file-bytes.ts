import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes per read. */
const CHUNK = 2 ** 22;

/** The bytes [begin, end) of a file, in parts. Each part is valid until the next one is read. */
export function* fileBytes(
  path: string,
  { begin, end }: { begin: number; end: number },
): Generator<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(Math.min(CHUNK, end - begin));
    for (let at = begin; at < end; ) {
      const read = readSync(descriptor, buffer, 0, Math.min(buffer.length, end - at), at);
      if (read === 0) throw new Error(`${path} has become shorter`);
      yield buffer.subarray(0, read);
      at += read;
    }
  } finally {
    closeSync(descriptor);
  }
}
