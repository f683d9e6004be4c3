import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import type { LocalSource } from '../byte-source.ts';
import { excerptName } from '../excerpt.ts';

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

/** A range of bytes in the file. */
export interface EntryRange {
  begin: number;
  end: number;
}

interface ZipDirectory extends EntryRange {
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

/** The headers of a zip archive: of an entry, of its place in the directory, and of the directory's end. */
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const END = { signature: 0x06054b50, bytes: 22 };
const END_64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR_64 = { signature: 0x07064b50, bytes: 20 };

/** Finds the central directory of a zip archive, from the end of the file. Throws a UserError. */
function findZipDirectory(source: LocalSource): ZipDirectory {
  const where = source.path;
  const start = Math.max(0, source.size - MAX_TAIL_BYTES);
  const tail = createView(source.read(start, source.size));
  let at = tail.byteLength - END.bytes;
  while (at >= 0 && tail.getUint32(at, true) !== END.signature) at--;
  if (at < 0) throw zipDamaged(where, 'has no end record of a zip archive');
  const end = start + at;
  const directory = findDirectory64(source, end) ?? {
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
function findDirectory64(source: LocalSource, end: number): ZipDirectory | undefined {
  const where = source.path;
  if (end < LOCATOR_64.bytes) return undefined;
  const locator = createView(source.read(end - LOCATOR_64.bytes, end));
  if (locator.getUint32(0, true) !== LOCATOR_64.signature) return undefined;
  const at = Number(locator.getBigUint64(8, true));
  if (at + END_64.bytes > end)
    throw zipDamaged(where, `has its 64-bit end record at byte ${at}, which is not within its ${end} bytes`);
  const record = createView(source.read(at, at + END_64.bytes));
  if (record.getUint32(0, true) !== END_64.signature)
    throw zipDamaged(where, `has no 64-bit end record at byte ${at}`);
  const begin = Number(record.getBigUint64(48, true));
  return {
    count: Number(record.getBigUint64(32, true)),
    begin,
    end: begin + Number(record.getBigUint64(40, true)),
  };
}

function createView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function zipDamaged(where: string, fault: string): UserError {
  return new InvalidFile({ where, fault, hint: 'The file is damaged or truncated. Download it again.' });
}

/** Compression methods. */
export const [STORED, DEFLATED] = [0, 8];

interface ZipEntry {
  /** Size of the uncompressed content, as the archive claims it. */
  size: number;
  /** Number of bytes in the archive. */
  packed: number;
  method: number;
  /** Offset of the local header. */
  offset: number;
  /** Offset of the next header, or of the directory. The entry must end before it. */
  limit: number;
}

const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
/** This value in a 32-bit field means that the real value is in a 64-bit field. */
const ELSEWHERE = 0xffffffff;

/** Reads the entries of a central directory. Throws a UserError for an entry that is encrypted. */
function readZipEntries(source: LocalSource, { begin, end, count }: ZipDirectory): Map<string, ZipEntry> {
  const where = source.path;
  const view = createView(source.read(begin, end));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL.bytes > view.byteLength || view.getUint32(at, true) !== CENTRAL.signature)
      throw zipDamaged(where, `has ${i} entries in its directory instead of ${count}`);
    const nameEnd = at + CENTRAL.bytes + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > view.byteLength)
      throw zipDamaged(where, `has ${i} complete entries in its directory instead of ${count}`);
    const bytes = new Uint8Array(
      view.buffer,
      view.byteOffset + at + CENTRAL.bytes,
      nameEnd - at - CENTRAL.bytes,
    );
    const name = new TextDecoder().decode(bytes);
    const entry = `${where}: ${excerptName(name)}`;
    if (entries.has(name)) throw zipDamaged(entry, 'is there twice');
    entries.set(name, { ...readEntry(view, at, nameEnd, extraEnd, entry), limit: begin });
    at = next;
  }
  if (at !== view.byteLength)
    throw zipDamaged(where, `has more than the ${count} entries that its directory counts`);
  const inOrder = [...entries.values()].sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < inOrder.length; i++) inOrder[i - 1]!.limit = inOrder[i]!.offset;
  return entries;
}

function readEntry(view: DataView, at: number, extra: number, extraEnd: number, where: string) {
  if (view.getUint16(at + 8, true) & ENCRYPTED) throw zipDamaged(where, 'is encrypted');
  const method = view.getUint16(at + 10, true);
  const compressed = view.getUint32(at + 20, true);
  const [size, packed, offset] = wideFields(
    [view.getUint32(at + 24, true), compressed, view.getUint32(at + 42, true)],
    view,
    extra,
    extraEnd,
    where,
  );
  if (method === STORED && size !== packed)
    throw zipDamaged(where, `has two sizes, ${size} and ${packed}, for one stored file`);
  return { size: size!, packed: packed!, method, offset: offset! };
}

/** Reads each 32-bit field that is {@link ELSEWHERE} from the 64-bit extra field instead, in order. */
function wideFields(fields: number[], view: DataView, begin: number, end: number, where: string): number[] {
  if (!fields.includes(ELSEWHERE)) return fields;
  for (let at = begin; at + 4 <= end; ) {
    const next = at + 4 + view.getUint16(at + 2, true);
    if (next <= end && view.getUint16(at, true) === ZIP64_FIELD) {
      let place = at + 4;
      return fields.map((field) => {
        if (field !== ELSEWHERE) return field;
        if (place + 8 > next) throw zipDamaged(where, 'has no 64-bit sizes');
        place += 8;
        return Number(view.getBigUint64(place - 8, true));
      });
    }
    at = next;
  }
  throw zipDamaged(where, 'has no 64-bit sizes');
}
