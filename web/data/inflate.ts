import { UserError } from '../../src/support/user-error.ts';

/** Bytes that are unpacked at a time. Browsers unpack all of them at once, to up to a thousand times as many. */
const PIECE = 2 ** 14;

/** Formats of compressed bytes, and their names in messages. */
const FORMATS = { gzip: 'gzip file', 'deflate-raw': 'compressed file' } as const;

/**
 * Decompresses bytes, up to a maximum size.
 *
 * @returns undefined if there are more bytes
 * @throws UserError for a damaged file
 */
export async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  format: keyof typeof FORMATS,
  where: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    const unpacked = streamPieces(bytes).pipeThrough(new DecompressionStream(format));
    // A reader is used because not every browser can iterate over a stream.
    const reader = unpacked.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > maxBytes) {
        await reader.cancel();
        return undefined;
      }
      parts.push(next.value);
    }
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new UserError({ where, fault: `is not a valid ${FORMATS[format]}: ${got}` });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function streamPieces(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.subarray(at, at + PIECE));
      at += PIECE;
      if (at >= bytes.length) controller.close();
    },
  });
}
