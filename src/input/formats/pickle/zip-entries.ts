import { UserError } from '../../../support/user-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { excerptName } from '../excerpt.ts';
import { viewOf, type ZipDirectory, zipDamaged } from './zip-directory.ts';

export interface ZipEntry {
  size: number;
  /** Offset of the local header. */
  offset: number;
  /** Offset of the next header, or of the directory. The entry must end before it. */
  limit: number;
}

const ENTRY = { signature: 0x02014b50, bytes: 46 };
const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
/** This value in a 32-bit field means that the real value is in a 64-bit field. */
const ELSEWHERE = 0xffffffff;

/** Reads the entries of a central directory. Throws a UserError for an entry that is compressed or encrypted. */
export function readZipEntries(
  source: ByteSource,
  { begin, end, count }: ZipDirectory,
  where: string,
): Map<string, ZipEntry> {
  const view = viewOf(source.read(begin, end));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY.bytes > view.byteLength || view.getUint32(at, true) !== ENTRY.signature)
      throw zipDamaged(where, `has ${i} entries in its directory instead of ${count}`);
    const nameEnd = at + ENTRY.bytes + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > view.byteLength)
      throw zipDamaged(where, `has ${i} complete entries in its directory instead of ${count}`);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at + ENTRY.bytes, nameEnd - at - ENTRY.bytes);
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
  if (method !== 0) {
    throw new UserError({
      where,
      fault: `is compressed by method ${method}; torch.save stores entries uncompressed`,
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
    throw zipDamaged(where, `has two sizes, ${size} and ${compressed64}, for one stored file`);
  return { size: size!, offset: offset! };
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
