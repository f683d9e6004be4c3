export interface WrittenEntry {
  name: string;
  data: Uint8Array;
  /** Wrong values for header fields. */
  size?: number;
  compressedSize?: number;
  offset?: number;
  method?: number;
  flags?: number;
  /** Wrong values for the local header only. */
  local?: { name?: string; method?: number; flags?: number };
}

/** Makes a zip archive of stored entries, with or without 64-bit sizes. */
export function writeZip(entries: readonly WrittenEntry[], { wide = false } = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  const put = (bytes: Uint8Array) => {
    parts.push(bytes);
    position += bytes.length;
  };
  for (const { name, data, local = {}, ...lies } of entries) {
    const text = new TextEncoder().encode(name);
    const localText = new TextEncoder().encode(local.name ?? name);
    const fields = { size: data.length, compressedSize: data.length, offset: position, ...lies };
    put(
      record(30, {
        0: u32(0x04034b50),
        6: u16(local.flags ?? 0),
        8: u16(local.method ?? 0),
        18: u32(data.length),
        22: u32(data.length),
        26: u16(localText.length),
      }),
    );
    put(localText);
    put(data);
    const sizes = [fields.size, fields.compressedSize, fields.offset];
    const extra = wide ? concatBytes([u16(1), u16(24), ...sizes.map(u64)]) : new Uint8Array(0);
    const [size, compressed, offset] = (wide ? sizes.map(() => 0xffffffff) : sizes) as [
      number,
      number,
      number,
    ];
    const header = record(46, {
      0: u32(0x02014b50),
      8: u16(fields.flags ?? 0),
      10: u16(fields.method ?? 0),
      20: u32(compressed),
      24: u32(size),
      28: u16(text.length),
      30: u16(extra.length),
      42: u32(offset),
    });
    directory.push(header, text, extra);
  }
  const begin = position;
  const bytes = concatBytes(directory);
  put(bytes);
  const count = entries.length;
  if (wide) {
    const end = position;
    put(record(56, { 0: u32(0x06064b50), 32: u64(count), 40: u64(bytes.length), 48: u64(begin) }));
    put(record(20, { 0: u32(0x07064b50), 8: u64(end) }));
  }
  put(record(22, { 0: u32(0x06054b50), 10: u16(count), 12: u32(bytes.length), 16: u32(begin) }));
  return concatBytes(parts);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function record(length: number, fields: Record<number, Uint8Array>): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [at, field] of Object.entries(fields)) bytes.set(field, Number(at));
  return bytes;
}

export const u16 = (value: number) => new Uint8Array(Uint16Array.of(value).buffer);
export const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
