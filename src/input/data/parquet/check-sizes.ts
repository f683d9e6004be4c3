import type { FileMetaData } from 'hyparquet';
import { pageHeader } from './page-header.ts';

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
