import { gunzipSync } from 'node:zlib';
import { UserError } from '../../support/user-error.ts';

/** Limit of the decompressed size: reading such a text takes up to three times as much memory. */
const MAX_BYTES = 2 ** 28;

/** Decompresses a gzip file. Throws a UserError if it is damaged, or too large when decompressed. */
export function gunzip(bytes: Uint8Array, where: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const expected = `at most ${MAX_BYTES} decompressed bytes`;
      throw new UserError({ where, expected, got: 'more', hint: 'Decompress the file first.' });
    }
    throw new UserError({ where, expected: 'a valid gzip file', got: message });
  }
}
