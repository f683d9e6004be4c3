import { UserError } from '../support/user-error.ts';
import { isSpreadsheet } from './is-spreadsheet.ts';

/** V8's longest string has 2^29 - 24 characters. */
const MAX_FILE_BYTES = 2 ** 29 - 24;
const BYTE_ORDER_MARK = '\ufeff';

/** Throws a UserError for a text file that does not fit into one string. */
export function checkTextSize(size: number, where: string): void {
  if (size <= MAX_FILE_BYTES) return;
  throw new UserError({
    where,
    fault: `has ${size} bytes, more than the maximum of ${MAX_FILE_BYTES}`,
    hint: 'Split the file.',
  });
}

/**
 * Decodes UTF-8 text, removes its byte-order mark, and turns line ends that are CR alone into LF.
 *
 * @param onNotice called with a notice if text that is not UTF-8 is read as Windows-1252, as spreadsheets
 * write it; without `onNotice`, such text is an error
 * @throws UserError for other bytes, and for a spreadsheet
 */
export function decodeText(bytes: Uint8Array, where: string, onNotice?: (message: string) => void): string {
  if (isSpreadsheet(bytes)) throw spreadsheet(where);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    if (onNotice && !isBinary(bytes)) {
      onNotice(`${where} is not UTF-8; reading it as Windows-1252, as spreadsheets write it.`);
      return new TextDecoder('windows-1252').decode(bytes);
    }
    const hint = 'Convert it, for example with iconv -t utf-8.';
    throw new UserError({ where, fault: 'is not UTF-8 text', hint });
  }
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  // Some programs end lines with CR alone. Only texts without any LF are read that way.
  return body.includes('\n') ? body : body.replaceAll('\r', '\n');
}

function spreadsheet(where: string): UserError {
  const hint = 'Save the sheet as CSV, or unpack the archive.';
  return new UserError({ where, fault: 'is a spreadsheet or an archive', hint });
}

/** Line ends and tabs. Every other byte below 0x20 is a control character, which text does not contain. */
const IN_TEXT = [0x09, 0x0a, 0x0c, 0x0d];
/** Bytes that are undefined in Windows-1252. */
const UNUSED = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

function isBinary(bytes: Uint8Array): boolean {
  const isUtf16 = bytes[0]! + bytes[1]! === 0xff + 0xfe;
  return isUtf16 || bytes.some((byte) => (byte < 0x20 && !IN_TEXT.includes(byte)) || UNUSED.includes(byte));
}
