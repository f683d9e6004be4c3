import { UserError } from '../support/user-error.ts';

/** V8 holds no longer string than 2^29 - 24 characters. */
const MAX_FILE_BYTES = 2 ** 29 - 24;
const BYTE_ORDER_MARK = '\ufeff';

/** Throws a UserError for a file of text that is too large to be one string. */
export function checkTextSize(size: number, where: string): void {
  if (size <= MAX_FILE_BYTES) return;
  const expected = `at most ${MAX_FILE_BYTES} bytes`;
  throw new UserError({ where, expected, got: `${size}`, hint: 'Split the file.' });
}

/** Text in UTF-8, without its byte-order mark. Throws a UserError for other bytes. */
export function decodeText(bytes: Uint8Array, where: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const hint = 'Convert it, for example with iconv -t utf-8.';
    throw new UserError({ where, expected: 'text in UTF-8', got: 'other bytes', hint });
  }
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}
