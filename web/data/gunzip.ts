import { UserError } from '../../src/support/user-error.ts';

/**
 * Decompresses a gzip file, up to a maximum size.
 *
 * @returns undefined for a larger file
 * @throws UserError for a damaged file
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
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
    throw new UserError({ where, fault: `is not a valid gzip file: ${got}` });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
