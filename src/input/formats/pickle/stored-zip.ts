import { InvalidFile } from '../../../support/user-error.ts';
import type { LocalSource } from '../byte-source.ts';
import { excerptName } from '../excerpt.ts';
import {
  createView,
  ENCRYPTED,
  type EntryRange,
  findZipDirectory,
  LOCAL,
  readZipEntries,
  STORED,
  type ZipEntry,
  zipDamaged,
} from './zip-entries.ts';

/** An untrusted zip archive. */
export interface Zip {
  names(): string[];
  /** An entry with the range of its bytes; undefined if it does not exist. */
  locate(name: string): (EntryRange & Pick<ZipEntry, 'size' | 'method'>) | undefined;
}

/**
 * Reads the directory of an untrusted zip archive (APPNOTE.TXT, also with 64-bit sizes). Offsets must lie
 * within the file, and entries must not share bytes. Encrypted entries are rejected.
 *
 * @throws UserError
 */
export function openZip(source: LocalSource): Zip {
  return describeZip(source, () => {});
}

/** Like {@link openZip}, but also rejects compressed entries, so that any part of an entry can be read directly. */
export function openStoredZip(source: LocalSource): Zip {
  return describeZip(source, ({ method }, entry) => {
    if (method === STORED) return;
    throw new InvalidFile({
      where: entry,
      fault: `is compressed by method ${method}; torch.save stores entries uncompressed`,
      hint: 'Unpack the archive and pack it again without compression (zip -0).',
    });
  });
}

function describeZip(source: LocalSource, check: (entry: ZipEntry, where: string) => void): Zip {
  const entries = readZipEntries(source, findZipDirectory(source));
  const nameOf = (name: string) => `${source.path}: ${excerptName(name)}`;
  for (const [name, entry] of entries) check(entry, nameOf(name));
  return {
    names: () => [...entries.keys()],
    locate(name) {
      const entry = entries.get(name);
      if (!entry) return undefined;
      const { size, method } = entry;
      return { ...readData(source, entry, name, nameOf(name)), size, method };
    },
  };
}

/**
 * Locates an entry's data behind its local header. The local header must agree with the directory, but its
 * extra field may have another length.
 */
function readData(
  source: LocalSource,
  { packed, method, offset, limit }: ZipEntry,
  name: string,
  where: string,
): EntryRange {
  if (offset + LOCAL.bytes > limit)
    throw zipDamaged(where, `has a header at byte ${offset}, which must be before byte ${limit}`);
  const header = createView(source.read(offset, offset + LOCAL.bytes));
  if (header.getUint32(0, true) !== LOCAL.signature)
    throw zipDamaged(where, `has no header at byte ${offset}`);
  const nameEnd = offset + LOCAL.bytes + header.getUint16(26, true);
  const begin = nameEnd + header.getUint16(28, true);
  const end = begin + packed;
  if (end > limit)
    throw zipDamaged(where, `starts at byte ${begin} and has ${packed} bytes, beyond its limit at ${limit}`);
  const isSame = header.getUint16(8, true) === method && !(header.getUint16(6, true) & ENCRYPTED);
  const local = new TextDecoder().decode(source.read(offset + LOCAL.bytes, nameEnd));
  if (!isSame || local !== name) throw zipDamaged(where, 'has a header that contradicts the directory');
  return { begin, end };
}
