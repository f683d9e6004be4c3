import type { FileMetaData } from 'hyparquet';

export interface PageHeader {
  /** Position of the page's content. */
  start: number;
  uncompressed: number;
  compressed: number;
  values: number;
}

/** Maximum depth of nested structs. The format needs three. */
const MAX_DEPTH = 8;

/**
 * Parses the header of a page (Thrift's compact protocol). Reads only what is needed for the page's
 * decompressed size.
 *
 * @throws RangeError for invalid bytes
 */
function pageHeader(bytes: Uint8Array, offset: number): PageHeader {
  const reader = new CompactReader(bytes, offset);
  const fields = reader.struct(0);
  const number = (value: unknown) => (typeof value === 'number' ? value : 0);
  // The headers of a data page, a dictionary page and a data page v2. Each begins with the number of values.
  const kinds = [5, 7, 8].map((field) => fields.get(field)).filter((kind) => kind instanceof Map);
  return {
    start: reader.offset,
    uncompressed: number(fields.get(2)),
    compressed: number(fields.get(3)),
    values: Math.max(0, ...kinds.map((kind) => number(kind.get(1)))),
  };
}

type Fields = Map<number, unknown>;

class CompactReader {
  offset: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  struct(depth: number): Fields {
    if (depth > MAX_DEPTH) throw new RangeError('structs nested too deep');
    const fields: Fields = new Map();
    let field = 0;
    for (let head = this.#byte(); head !== 0; head = this.#byte()) {
      field = head >> 4 === 0 ? this.#zigzag() : field + (head >> 4);
      fields.set(field, this.#value(head & 15, depth));
    }
    return fields;
  }

  #value(type: number, depth: number): unknown {
    switch (type) {
      case 1:
      case 2:
        return type === 1;
      case 3:
        return this.#byte();
      case 4:
      case 5:
      case 6:
        return this.#zigzag();
      case 7:
        return this.#skip(8);
      case 8:
        return this.#skip(this.#varint());
      case 9:
      case 10: {
        const head = this.#byte();
        const size = head >> 4 === 15 ? this.#varint() : head >> 4;
        // A boolean takes a byte in a list, but none in a struct.
        const type = (head & 15) <= 2 ? 3 : head & 15;
        for (let i = 0; i < size; i++) this.#value(type, depth + 1);
        return undefined;
      }
      case 12:
        return this.struct(depth + 1);
      default:
        throw new RangeError(`type ${type} in a page's header`);
    }
  }

  #skip(length: number): void {
    if (this.offset + length > this.#bytes.length)
      throw new RangeError('a header beyond the end of the file');
    this.offset += length;
  }

  #byte(): number {
    if (this.offset >= this.#bytes.length) throw new RangeError('a header beyond the end of the file');
    return this.#bytes[this.offset++]!;
  }

  #varint(): number {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new RangeError('a number of more than 64 bits');
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/**
 * Maximum decompressed size: `FREE_BYTES` plus `MAX_RATIO` times the file's size. `FREE_BYTES` allows for
 * long runs of equal values, which compress well.
 */
const FREE_BYTES = 2 ** 26;
const MAX_RATIO = 16;
/** Absolute limits on bytes and values. A value takes some tens of bytes as a JavaScript object. */
const MAX_BYTES = 2 ** 29;
const FREE_VALUES = 2 ** 20;
const MAX_VALUES = 2 ** 25;

/**
 * Checks the sizes in a file's headers before anything is decompressed. A few bytes may claim billions of
 * values.
 *
 * @throws RangeError that names the oversized or contradictory part
 */
export function checkSizes(bytes: Uint8Array, metadata: FileMetaData): void {
  const room = Math.min(MAX_BYTES, FREE_BYTES + MAX_RATIO * bytes.length);
  const most = Math.min(MAX_VALUES, FREE_VALUES + MAX_RATIO * bytes.length);
  let [unpacked, values, rows] = [0, 0, 0];
  for (const group of metadata.row_groups) {
    rows += checked(group.num_rows);
    for (const { meta_data: column } of group.columns) {
      if (!column) throw new RangeError('a column without its place');
      const start = checked(column.dictionary_page_offset || column.data_page_offset);
      const end = start + checked(column.total_compressed_size);
      if (end > bytes.length) throw new RangeError('a column beyond the end of the file');
      for (let offset = start; offset < end; ) {
        const page = pageHeader(bytes, offset);
        offset = page.start + checked(page.compressed);
        unpacked += checked(page.uncompressed);
        values += checked(page.values);
        if (unpacked > room) throw new RangeError(`more than ${room} bytes when unpacked`);
        if (values > most) throw new RangeError(`more than ${most} values`);
      }
    }
  }
  if (rows > most || rows !== checked(metadata.num_rows)) throw new RangeError(`${metadata.num_rows} rows`);
}

function checked(size: number | bigint): number {
  const value = Number(size);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`a size of ${size}`);
}
