import { gunzipSync } from 'node:zlib';
import { UserError } from '../../support/user-error.ts';

/** What comes out of a packed file: text of this size takes up to three times as much memory while it is read. */
const MAX_BYTES = 2 ** 28;

/** Unpacks a gzip file. Throws a UserError for one that is damaged, or too large when unpacked. */
export function gunzip(bytes: Uint8Array, where: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const expected = `at most ${MAX_BYTES} bytes when unpacked`;
      throw new UserError({ where, expected, got: 'more', hint: 'Unpack the file and give the result.' });
    }
    throw new UserError({ where, expected: 'a sound gzip file', got: message });
  }
}
