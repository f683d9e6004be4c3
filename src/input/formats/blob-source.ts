import { UserError } from '../../support/user-error.ts';
import type { AsyncByteSource } from './byte-source.ts';

/**
 * Reads a `File` or `Blob` in parts, without loading all of it.
 *
 * @param where the file's name in messages
 */
export function blobSource(blob: Blob, where: string): AsyncByteSource {
  return {
    size: blob.size,
    async read(begin, end) {
      const bytes = await contentOf(blob.slice(begin, end), where);
      if (bytes.length === end - begin) return bytes;
      throw unreadable(where, `ends at byte ${begin + bytes.length}, before byte ${end}`);
    },
  };
}

/** Reads a part. Browsers reject a file that has changed since the user chose it. */
async function contentOf(part: Blob, where: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await part.arrayBuffer());
  } catch (error) {
    throw unreadable(where, `cannot be read (${(error as Error).name})`);
  }
}

function unreadable(where: string, fault: string): UserError {
  return new UserError({ where, fault, hint: 'Choose the file again: it may have changed.' });
}
