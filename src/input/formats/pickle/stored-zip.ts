import type { ByteSource } from '../byte-source.ts';
import { excerptName } from '../excerpt.ts';
import {
  type ByteRange,
  findZipDirectory,
  readZipEntries,
  viewOf,
  type ZipEntry,
  zipDamaged,
} from './zip-entries.ts';

/** A zip archive with uncompressed entries, so that any part of an entry can be read directly. */
export interface StoredZip {
  names(): string[];
  /** The range of an entry's bytes; undefined if the entry does not exist. */
  locate(name: string): ByteRange | undefined;
}

const LOCAL = { signature: 0x04034b50, bytes: 30 };
const ENCRYPTED = 1;

/**
 * Reads the directory of an untrusted zip archive (APPNOTE.TXT, also with 64-bit sizes). Offsets must lie
 * within the file, and entries must not share bytes. Compressed or encrypted entries are rejected.
 *
 * @param where the file's name in messages
 * @throws UserError
 */
export function openStoredZip(source: ByteSource, where: string): StoredZip {
  const entries = readZipEntries(source, findZipDirectory(source, where), where);
  return {
    names: () => [...entries.keys()],
    locate(name) {
      const entry = entries.get(name);
      return entry && dataOf(source, entry, name, `${where}: ${excerptName(name)}`);
    },
  };
}

/**
 * Locates an entry's data behind its local header. The local header must agree with the directory, but its
 * extra field may have another length.
 */
function dataOf(
  source: ByteSource,
  { size, offset, limit }: ZipEntry,
  name: string,
  where: string,
): ByteRange {
  if (offset + LOCAL.bytes > limit)
    throw zipDamaged(where, `has a header at byte ${offset}, which must be before byte ${limit}`);
  const header = viewOf(source.read(offset, offset + LOCAL.bytes));
  if (header.getUint32(0, true) !== LOCAL.signature)
    throw zipDamaged(where, `has no header at byte ${offset}`);
  const nameEnd = offset + LOCAL.bytes + header.getUint16(26, true);
  const begin = nameEnd + header.getUint16(28, true);
  const end = begin + size;
  if (end > limit)
    throw zipDamaged(where, `starts at byte ${begin} and has ${size} bytes, beyond its limit at ${limit}`);
  const isPlain = header.getUint16(8, true) === 0 && !(header.getUint16(6, true) & ENCRYPTED);
  const local = new TextDecoder().decode(source.read(offset + LOCAL.bytes, nameEnd));
  if (!isPlain || local !== name) throw zipDamaged(where, 'has a header that contradicts the directory');
  return { begin, end };
}
