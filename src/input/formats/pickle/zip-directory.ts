import { UserError } from '../../../support/user-error.ts';
import type { ByteSource } from '../byte-source.ts';

/** A range of bytes in the file. */
export interface ByteRange {
  begin: number;
  end: number;
}

export interface ZipDirectory extends ByteRange {
  /** Number of entries. */
  count: number;
}

/** Maximum number of entries. Each tensor has an entry, and the largest models have about 10,000 tensors. */
const MAX_ENTRIES = 2 ** 17;
/** Maximum size of the directory. An entry takes 46 bytes, plus its name and extra fields. */
const MAX_DIRECTORY_BYTES = 2 ** 24;
/**
 * Number of bytes that are searched at the end of a file: the end record, and the longest possible comment
 * after it.
 */
const MAX_TAIL_BYTES = 0xffff + 22;

const END = { signature: 0x06054b50, bytes: 22 };
const END_64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR_64 = { signature: 0x07064b50, bytes: 20 };

/** Finds the central directory of a zip archive, from the end of the file. Throws a UserError. */
export function findZipDirectory(source: ByteSource, where: string): ZipDirectory {
  const start = Math.max(0, source.size - MAX_TAIL_BYTES);
  const tail = viewOf(source.read(start, source.size));
  let at = tail.byteLength - END.bytes;
  while (at >= 0 && tail.getUint32(at, true) !== END.signature) at--;
  if (at < 0) throw zipDamaged(where, 'has no end record of a zip archive');
  const end = start + at;
  const directory = findDirectory64(source, end, where) ?? {
    count: tail.getUint16(at + 10, true),
    begin: tail.getUint32(at + 16, true),
    end: tail.getUint32(at + 16, true) + tail.getUint32(at + 12, true),
  };
  const { begin, count } = directory;
  if (!Number.isSafeInteger(directory.end) || directory.end > end)
    throw zipDamaged(where, `has a directory that ends at byte ${directory.end}, after byte ${end}`);
  const bytes = directory.end - begin;
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES) {
    const most = `at most ${MAX_ENTRIES} in ${MAX_DIRECTORY_BYTES}`;
    throw zipDamaged(where, `has a directory of ${count} entries in ${bytes} bytes instead of ${most}`);
  }
  return directory;
}

/** The directory according to the 64-bit records before the end record; undefined without such records. */
function findDirectory64(source: ByteSource, end: number, where: string): ZipDirectory | undefined {
  if (end < LOCATOR_64.bytes) return undefined;
  const locator = viewOf(source.read(end - LOCATOR_64.bytes, end));
  if (locator.getUint32(0, true) !== LOCATOR_64.signature) return undefined;
  const at = Number(locator.getBigUint64(8, true));
  if (at + END_64.bytes > end)
    throw zipDamaged(where, `has its 64-bit end record at byte ${at}, which is not within its ${end} bytes`);
  const record = viewOf(source.read(at, at + END_64.bytes));
  if (record.getUint32(0, true) !== END_64.signature)
    throw zipDamaged(where, `has no 64-bit end record at byte ${at}`);
  const begin = Number(record.getBigUint64(48, true));
  return {
    count: Number(record.getBigUint64(32, true)),
    begin,
    end: begin + Number(record.getBigUint64(40, true)),
  };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function zipDamaged(where: string, fault: string): UserError {
  return new UserError({ where, fault, hint: 'The file is damaged or truncated. Download it again.' });
}
