import { InvalidData, type UserError } from '../../support/user-error.ts';
import type { FileFormat } from './rows.ts';

/** The extension of a file name in lowercase. A final `.gz` is ignored. */
export function readExtension(fileName: string): string | undefined {
  return /\.([^./\\]+)(?:\.gz)?$/i.exec(fileName)?.[1]?.toLowerCase();
}

export const TEXT_NAME =
  /^(text|texts|sentence|message|body|content|review|comment|document|utterance|tweet|title|question|description|nachricht|beschreibung|kommentar)$/i;

/** Whether bytes are compressed by gzip. */
export function isGzip(bytes: Uint8Array): boolean {
  return begins(bytes, [0x1f, 0x8b]);
}

/** Whether bytes are a parquet file. */
export function isParquet(bytes: Uint8Array): boolean {
  return begins(bytes, [0x50, 0x41, 0x52, 0x31]);
}

/** Whether bytes are a PDF. */
function isPdf(bytes: Uint8Array): boolean {
  return begins(bytes, [0x25, 0x50, 0x44, 0x46, 0x2d]);
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** The first bytes of spreadsheets: a zip archive (.xlsx, .ods) or a compound file (.xls). */
const MAGIC = [
  [0x50, 0x4b, 0x03, 0x04],
  [0xd0, 0xcf, 0x11, 0xe0],
];

/** Whether bytes are a spreadsheet or another archive. */
export function isSpreadsheet(bytes: Uint8Array): boolean {
  return MAGIC.some((magic) => magic.every((byte, i) => bytes[i] === byte));
}

/** V8's longest string has 2^29 - 24 characters. */
const MAX_FILE_BYTES = 2 ** 29 - 24;
const BYTE_ORDER_MARK = '\ufeff';

/** Throws a UserError for a text file that does not fit into one string. */
export function checkTextSize(size: number, where: string): void {
  if (size <= MAX_FILE_BYTES) return;
  throw new InvalidData({
    where,
    fault: `has ${size} bytes, more than the maximum of ${MAX_FILE_BYTES}`,
    hint: 'Split the file.',
  });
}

/**
 * Decodes UTF-8 text, or UTF-16 with a byte-order mark. Removes the mark, and turns line ends that are CR alone into LF.
 *
 * @param onNotice called with a notice if text that is not UTF-8 is read as Windows-1252, as spreadsheets
 * write it; without `onNotice`, such text is an error
 * @throws UserError for other bytes, and for a spreadsheet
 */
export function decodeText(bytes: Uint8Array, where: string, onNotice?: (message: string) => void): string {
  if (isSpreadsheet(bytes)) throw spreadsheet(where);
  if (isPdf(bytes))
    throw new InvalidData({ where, fault: 'is a PDF', hint: 'Copy its table or text into a file.' });
  const text = decoded(bytes, where, onNotice);
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  // Some programs end lines with CR alone. Only texts without any LF are read that way.
  return body.includes('\n') ? body : body.replaceAll('\r', '\n');
}

function decoded(bytes: Uint8Array, where: string, onNotice?: (message: string) => void): string {
  const encoding = UTF_16[`${bytes[0]} ${bytes[1]}`] ?? 'utf-8';
  if (encoding === 'utf-8' && bytes.includes(0)) throw zeroBytes(bytes, where);
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // JSON is always UTF-8, and a text with characters of UTF-8 is not of another encoding but damaged.
    const isJson =
      detectFormat(where, new TextDecoder('latin1').decode(bytes.subarray(0, LOOKED_AT))) === 'jsonl';
    const at = encoding === 'utf-8' ? findInvalid(bytes) : undefined;
    if (at && (isJson || at.hasWide)) {
      const hint = 'Convert the file to UTF-8, or correct this place.';
      throw new InvalidData({ where: `${where}:${at.line}`, fault: 'has bytes that are not UTF-8', hint });
    }
    if (onNotice && !isJson && !isBinary(bytes)) {
      onNotice(`${where} is not UTF-8; reading it as Windows-1252, as spreadsheets write it.`);
      return new TextDecoder('windows-1252').decode(bytes);
    }
    const hint = 'Convert it, for example with iconv -t utf-8.';
    throw new InvalidData({ where, fault: 'is not UTF-8 text', hint });
  }
}

/** Bytes that show whether a file is JSON. */
const LOOKED_AT = 4096;

/** The line of the first bytes that are not UTF-8, and whether the text has characters of several bytes elsewhere. */
function findInvalid(bytes: Uint8Array): { line: number; hasWide: boolean } | undefined {
  let [line, invalid, hasWide] = [1, 0, false];
  for (let i = 0; i < bytes.length; ) {
    const byte = bytes[i]!;
    if (byte === 0x0a) line++;
    // Two to four bytes that begin with a lead byte and continue with 10xxxxxx.
    const length =
      byte < 0x80 ? 1 : byte >= 0xc2 && byte < 0xf5 ? (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) : 0;
    const isValid =
      length > 0 &&
      bytes.subarray(i + 1, i + length).every((next) => next >> 6 === 2) &&
      i + length <= bytes.length;
    if (!isValid) invalid ||= line;
    else if (length > 1) hasWide = true;
    i += isValid ? length : 1;
  }
  return invalid > 0 ? { line: invalid, hasWide } : undefined;
}

/** The error for UTF-16 without a byte-order mark, in which one byte of a Latin letter is zero, or for a binary file. */
function zeroBytes(bytes: Uint8Array, where: string): UserError {
  const order = bytes[0] === 0 ? 'utf-16be' : 'utf-16le';
  const name = where.replace(/^.*[\\/]/, '');
  return new InvalidData({
    where,
    fault: 'has zero bytes, so it is UTF-16 without a byte-order mark, or a binary file',
    hint: `For UTF-16, convert it: iconv -f ${order} -t utf-8 ${where} > utf8-${name}`,
  });
}

/** Encodings by the first two bytes, which are a byte-order mark. */
const UTF_16: Readonly<Record<string, string>> = { '255 254': 'utf-16le', '254 255': 'utf-16be' };

function spreadsheet(where: string): UserError {
  const hint = 'Save the sheet as CSV, or unpack the archive.';
  return new InvalidData({ where, fault: 'is a spreadsheet or an archive', hint });
}

/** Line ends and tabs. Every other byte below 0x20 is a control character, which text does not contain. */
const IN_TEXT = [0x09, 0x0a, 0x0c, 0x0d];
/** Bytes that are undefined in Windows-1252. */
const UNUSED = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

function isBinary(bytes: Uint8Array): boolean {
  return bytes.some((byte) => (byte < 0x20 && !IN_TEXT.includes(byte)) || UNUSED.includes(byte));
}

/**
 * The format of a data file. The extension decides:
 *
 * - `.jsonl`, `.ndjson`, `.json` and parquet contain JSON objects: one per line, or a list.
 * - `.tsv` and `.txt` are separated by tabs.
 * - `.csv` is separated by commas, or by tabs if its first line has a tab (as in STS-B).
 *
 * A final `.gz` is ignored. Content that begins with a JSON object or a list of objects is JSON, whatever the name. Plain
 * lines are a table of one column.
 */
export function detectFormat(fileName: string, content: string): FileFormat {
  switch (readExtension(fileName)) {
    case 'jsonl':
    case 'ndjson':
    case 'json':
    case 'parquet':
      return 'jsonl';
    case 'csv':
      if (beginsWithObject(content)) return 'jsonl';
      return firstLine(content).includes('\t') ? 'tsv' : 'csv';
    default:
      return beginsWithObject(content) ? 'jsonl' : 'tsv';
  }
}

/** Whether a text begins with a JSON object, or with a list of objects. */
export function beginsWithObject(content: string): boolean {
  return /^\s*(\[\s*)?\{\s*["'}]/.test(content);
}

export function firstLine(content: string): string {
  const end = content.indexOf('\n');
  return end < 0 ? content : content.slice(0, end);
}
