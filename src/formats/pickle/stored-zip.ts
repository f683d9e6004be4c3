import { UserError } from '../../support/user-error.ts';
import type { ByteSource } from '../byte-source.ts';

/** A range of bytes of the file. */
export interface ByteRange {
  begin: number;
  end: number;
}

/** A zip archive whose entries are stored as they are, so that any part of one can be read. */
export interface StoredZip {
  names(): string[];
  /** Where an entry's bytes lie; undefined where there is no such entry. */
  locate(name: string): ByteRange | undefined;
}

/** One entry a tensor; the largest models have some 10,000. */
const MAX_ENTRIES = 2 ** 17;
/** Of the central directory: 46 bytes an entry, its name and some more. */
const MAX_DIRECTORY_BYTES = 2 ** 26;
/** A comment of the most bytes that its length can say, and the record before it. */
const MAX_TAIL_BYTES = 0xffff + 22;

const END = { signature: 0x06054b50, bytes: 22 };
const END_64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR_64 = { signature: 0x07064b50, bytes: 20 };
const ENTRY = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
/** What a 32-bit field holds whose value stands in 64 bits elsewhere. */
const ELSEWHERE = 0xffffffff;

const DAMAGED = 'The file is damaged or cut short; get it again.';

interface Entry {
  size: number;
  /** Of its local header. */
  offset: number;
}

/**
 * Reads the directory of a zip archive (APPNOTE.TXT, also with 64-bit sizes), whose author is not trusted: every offset
 * is checked against the file, and entries that are compressed or encrypted are refused.
 *
 * @param where the file's name for messages
 * @throws UserError
 */
export function openStoredZip(source: ByteSource, where: string): StoredZip {
  const directory = findDirectory(source, where);
  const entries = readDirectory(source, directory, where);
  return {
    names: () => [...entries.keys()],
    locate(name) {
      const entry = entries.get(name);
      return entry && dataOf(source, entry, directory.begin, `${where}: ${excerpt(name)}`);
    },
  };
}

interface Directory extends ByteRange {
  count: number;
}

function findDirectory(source: ByteSource, where: string): Directory {
  const start = Math.max(0, source.size - MAX_TAIL_BYTES);
  const tail = viewOf(source.read(start, source.size));
  let at = tail.byteLength - END.bytes;
  while (at >= 0 && tail.getUint32(at, true) !== END.signature) at--;
  if (at < 0) throw damaged(where, 'the end of a zip archive', 'none');
  const end = start + at;
  const directory = findDirectory64(source, end, where) ?? {
    count: tail.getUint16(at + 10, true),
    begin: tail.getUint32(at + 16, true),
    end: tail.getUint32(at + 16, true) + tail.getUint32(at + 12, true),
  };
  const { begin, count } = directory;
  if (!Number.isSafeInteger(directory.end) || directory.end > end)
    throw damaged(where, `a directory within ${end} bytes`, `one up to byte ${directory.end}`);
  const bytes = directory.end - begin;
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES) {
    const expected = `at most ${MAX_ENTRIES} entries in ${MAX_DIRECTORY_BYTES} bytes`;
    throw damaged(where, expected, `${count} in ${bytes}`);
  }
  return directory;
}

/** The directory as the records before the end say in 64 bits, if there are any. */
function findDirectory64(source: ByteSource, end: number, where: string): Directory | undefined {
  if (end < LOCATOR_64.bytes) return undefined;
  const locator = viewOf(source.read(end - LOCATOR_64.bytes, end));
  if (locator.getUint32(0, true) !== LOCATOR_64.signature) return undefined;
  const at = Number(locator.getBigUint64(8, true));
  if (at + END_64.bytes > end) throw damaged(where, `a 64-bit end record within ${end} bytes`, `byte ${at}`);
  const record = viewOf(source.read(at, at + END_64.bytes));
  if (record.getUint32(0, true) !== END_64.signature)
    throw damaged(where, `a 64-bit end record at byte ${at}`, 'none');
  const begin = Number(record.getBigUint64(48, true));
  return {
    count: Number(record.getBigUint64(32, true)),
    begin,
    end: begin + Number(record.getBigUint64(40, true)),
  };
}

function readDirectory(
  source: ByteSource,
  { begin, end, count }: Directory,
  where: string,
): Map<string, Entry> {
  const view = viewOf(source.read(begin, end));
  const entries = new Map<string, Entry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY.bytes > view.byteLength || view.getUint32(at, true) !== ENTRY.signature)
      throw damaged(where, `${count} entries in the directory`, `${i}`);
    const nameEnd = at + ENTRY.bytes + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > view.byteLength) throw damaged(where, `${count} entries in the directory`, `${i} and a part`);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at + ENTRY.bytes, nameEnd - at - ENTRY.bytes);
    const name = new TextDecoder().decode(bytes);
    if (entries.has(name)) throw damaged(`${where}: ${excerpt(name)}`, 'one entry of that name', 'two');
    entries.set(name, readEntry(view, at, nameEnd, extraEnd, `${where}: ${excerpt(name)}`));
    at = next;
  }
  return entries;
}

function readEntry(view: DataView, at: number, extra: number, extraEnd: number, where: string): Entry {
  if (view.getUint16(at + 8, true) & ENCRYPTED)
    throw damaged(where, 'an entry in the clear', 'an encrypted one');
  const method = view.getUint16(at + 10, true);
  if (method !== 0) {
    throw new UserError({
      where,
      expected: 'an entry that is stored as it is, as torch.save does',
      got: `one compressed by method ${method}`,
      hint: 'Unpack the archive and pack it again without compression (zip -0).',
    });
  }
  const compressed = view.getUint32(at + 20, true);
  const [size, compressed64, offset] = wideFields(
    [view.getUint32(at + 24, true), compressed, view.getUint32(at + 42, true)],
    view,
    extra,
    extraEnd,
    where,
  );
  if (size !== compressed64)
    throw damaged(where, 'one size of a stored entry', `${size} and ${compressed64}`);
  return { size, offset };
}

/** Fields of 32 bits, or what the extra field for 64 bits holds of those that say so, in this order. */
function wideFields(fields: number[], view: DataView, begin: number, end: number, where: string): number[] {
  if (!fields.includes(ELSEWHERE)) return fields;
  for (let at = begin; at + 4 <= end; ) {
    const next = at + 4 + view.getUint16(at + 2, true);
    if (next <= end && view.getUint16(at, true) === ZIP64_FIELD) {
      let place = at + 4;
      return fields.map((field) => {
        if (field !== ELSEWHERE) return field;
        if (place + 8 > next) throw damaged(where, 'sizes in 64 bits', 'none');
        place += 8;
        return Number(view.getBigUint64(place - 8, true));
      });
    }
    at = next;
  }
  throw damaged(where, 'sizes in 64 bits', 'none');
}

/** Behind the local header, whose name and extra field have lengths of their own. */
function dataOf(source: ByteSource, { size, offset }: Entry, directory: number, where: string): ByteRange {
  if (offset + LOCAL.bytes > directory)
    throw damaged(where, `a header before byte ${directory}`, `byte ${offset}`);
  const header = viewOf(source.read(offset, offset + LOCAL.bytes));
  if (header.getUint32(0, true) !== LOCAL.signature)
    throw damaged(where, `a header at byte ${offset}`, 'none');
  const begin = offset + LOCAL.bytes + header.getUint16(26, true) + header.getUint16(28, true);
  const end = begin + size;
  if (end > directory)
    throw damaged(where, `${size} bytes before byte ${directory}`, `a start at byte ${begin}`);
  return { begin, end };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(where: string, expected: string, got: string): UserError {
  return new UserError({ where, expected, got, hint: DAMAGED });
}

/** A name from the file as it may stand in a message. */
function excerpt(name: string): string {
  const text = JSON.stringify(name);
  return text.length <= 80 ? text.slice(1, -1) : `${text.slice(1, 80)}…`;
}
