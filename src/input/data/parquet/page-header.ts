import type { FileMetaData } from 'hyparquet';

/** Parses a struct of Thrift's compact protocol at the reader's offset, and moves the offset behind it. */
export type ParseThrift = (reader: { view: DataView; offset: number }) => Record<`field_${number}`, unknown>;

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
/** Maximum columns, as in other tables. A row is an object with a key for each. */
const MAX_COLUMNS = 10_000;

/**
 * Checks the sizes in a file's headers before anything is decompressed. A few bytes may claim billions of
 * values.
 *
 * @param parse hyparquet's own parser of headers, so that it finds the same sizes
 * @throws RangeError that names the oversized or contradictory part
 */
export function checkSizes(bytes: Uint8Array, metadata: FileMetaData, parse: ParseThrift): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const room = Math.min(MAX_BYTES, FREE_BYTES + MAX_RATIO * bytes.length);
  const most = Math.min(MAX_VALUES, FREE_VALUES + MAX_RATIO * bytes.length);
  let [unpacked, values, rows] = [0, 0, 0];
  if (metadata.schema.length > MAX_COLUMNS + 1) throw new RangeError(`more than ${MAX_COLUMNS} columns`);
  for (const group of metadata.row_groups) {
    rows += checked(group.num_rows);
    for (const { meta_data: column } of group.columns) {
      if (!column) throw new RangeError('a column without its place');
      const start = checked(column.dictionary_page_offset || column.data_page_offset);
      const end = start + checked(column.total_compressed_size);
      if (end > bytes.length) throw new RangeError('a column beyond the end of the file');
      for (let offset = start; offset < end; ) {
        const reader = { view, offset };
        const page = parse(reader);
        offset = reader.offset + checked(page.field_3);
        unpacked += checked(page.field_2);
        // The headers of a data page, a dictionary page and a data page v2 begin with the number of values.
        for (const kind of [page.field_5, page.field_7, page.field_8])
          if (kind) values += checked((kind as typeof page).field_1);
        if (unpacked > room) throw new RangeError(`more than ${room} bytes when unpacked`);
        if (values > most) throw new RangeError(`more than ${most} values`);
      }
    }
  }
  if (rows > most || rows !== checked(metadata.num_rows)) throw new RangeError(`${metadata.num_rows} rows`);
}

/** A size that a file may lack. */
function checked(size: unknown = 0): number {
  const value = Number(size);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`a size of ${size}`);
}
