import { gunzipSync } from 'node:zlib';
import { InvalidData } from '../../../support/user-error.ts';

/** Maximum decompressed size. Reading a text takes up to three times as much memory. */
const MAX_BYTES = 2 ** 28;

/** Decompresses a gzip file. Throws a UserError if it is damaged, or its content is too large. */
export function gunzip(bytes: Uint8Array, where: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new InvalidData({
        where,
        fault: `decompresses to more than ${MAX_BYTES} bytes`,
        hint: 'Decompress the file first.',
      });
    }
    throw new InvalidData({ where, fault: `is not a valid gzip file: ${message}` });
  }
}
