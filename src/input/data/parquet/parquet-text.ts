import type { FileMetaData, SchemaTree } from 'hyparquet';
import { InvalidData, UserError } from '../../../support/user-error.ts';
import { findMedium, MEDIA, recognizeMedium } from '../../media/media.ts';
import { checkTextSize } from '../detect-format.ts';
import { exactJson } from '../json.ts';
import { type ColumnClasses, nameClass, readClasses } from './class-names.ts';

/** The content of a parquet file as JSON Lines. */
export interface ParquetText {
  text: string;
  /** Class names by column. The text contains these names instead of class numbers. */
  classes: ColumnClasses;
  /** Stored files, such as images, by the names that the text has instead, and their media by column. */
  stored: ReadonlyMap<string, Uint8Array>;
  contentColumns: Readonly<Record<string, string>>;
}

/**
 * Converts a parquet file to JSON Lines. Class numbers become names, and -1 becomes null. Numbers that a
 * double would change become strings. Columns of decimals with more digits than a double has are left out.
 *
 * @param known class names from a source other than the file
 * @throws UserError for a file that is damaged or too large
 */
export async function parquetText(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  known: ColumnClasses = {},
): Promise<ParquetText> {
  const { parquetMetadata, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const { deserializeTCompactProtocol } = await import('hyparquet/src/thrift.js');
  const { compressors } = await import('hyparquet-compressors');
  const { decompress } = await import('fzstd');
  const file = {
    byteLength: bytes.byteLength,
    slice: (from: number, to?: number) =>
      bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + (to ?? bytes.byteLength)),
  };
  try {
    const metadata = parquetMetadata(file.slice(0));
    checkSizes(bytes, metadata, deserializeTCompactProtocol);
    const columns = parquetSchema(metadata).children.filter((column) => !isWide(column));
    const classes = { ...readClasses(metadata.key_value_metadata), ...known };
    const parts: string[] = [];
    const files = new StoredFiles();
    let size = 0;
    for (const group of metadata.row_groups) {
      // The reader would scan all groups again for each group, so it gets metadata with only one.
      const only = { ...metadata, row_groups: [group], num_rows: group.num_rows };
      for (const row of await parquetReadObjects({
        file,
        metadata: only,
        columns: columns.map(({ element }) => element.name),
        // zstd gets the expected size, because otherwise it would trust the size in the data.
        compressors: { ...compressors, ZSTD: (input, length) => decompress(input, new Uint8Array(length)) },
        parsers,
        utf8: false,
      })) {
        files.replace(row, parts.length);
        const line = `${JSON.stringify(row, (key, value) => plain(key, value, classes))}\n`;
        size += line.length;
        checkTextSize(size, where);
        parts.push(line);
      }
    }
    const text = parts.join('');
    return { text, classes, stored: files.content, contentColumns: files.columns };
  } catch (error) {
    // For damaged files, the reader throws errors of many classes.
    if (error instanceof UserError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new InvalidData({ where, fault: `is not a valid parquet file: ${got}` });
  }
}

/** Decimal digits that a double represents exactly. */
const MAX_DIGITS = 15;

/** Whether a column has decimals that the reader would round. */
function isWide({ element, children }: SchemaTree): boolean {
  const { converted_type, precision = 0 } = element;
  return (converted_type === 'DECIMAL' && precision > MAX_DIGITS) || children.some(isWide);
}

const parsers = {
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && exactJson(new TextDecoder().decode(bytes)),
};

function plain(key: string, value: unknown, classes: ColumnClasses): unknown {
  if (Object.hasOwn(classes, key)) return nameClass(value, classes[key]!);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Uint8Array ? decodeText(value) : value;
}

/** Text in a column that does not say that it has text. Omits other binary values. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The files that are stored in rows, which get their names instead. */
class StoredFiles {
  readonly content = new Map<string, Uint8Array>();
  readonly columns: Record<string, string> = {};

  /** Replaces the files in a row. A file without bytes is beside the data, and keeps its path. */
  replace(row: Record<string, unknown>, number: number): void {
    for (const [column, value] of Object.entries(row)) {
      const { bytes, path } = storedFile(value);
      const medium =
        (bytes && recognizeMedium(bytes)) ?? (path === undefined ? undefined : findMedium([path]));
      if (!bytes && path === undefined) continue;
      // A damaged file does not show its medium.
      if (medium || !this.columns[column]) this.columns[column] = (medium ?? MEDIA[0]!).name;
      row[column] = bytes ? this.#store(bytes, path, `${column}-${number + 1}`, medium) : path;
    }
  }

  /** Stores a file by its path, unless others have the same path. */
  #store(bytes: Uint8Array, path: string | undefined, otherwise: string, medium = MEDIA[0]!): string {
    const isFree = path !== undefined && findMedium([path]) && !this.content.has(path);
    const name = isFree ? path : `${otherwise}${medium.ending}`;
    // A copy, because the reader's array keeps the whole page in memory.
    this.content.set(name, bytes.slice());
    return name;
  }
}

/** A file as datasets of the Hub store it, `{bytes, path}`, or bytes that begin like one of a medium. */
function storedFile(value: unknown): { bytes?: Uint8Array; path?: string } {
  if (value instanceof Uint8Array) return recognizeMedium(value) ? { bytes: value } : {};
  const { bytes, path, ...others } = Object(value) as Record<string, unknown>;
  if (Object.keys(others).length > 0) return {};
  const named = typeof path === 'string' && path !== '' ? { path } : {};
  if (bytes instanceof Uint8Array) return { bytes, ...named };
  return bytes === null || (bytes === undefined && Object.hasOwn(Object(value), 'bytes')) ? named : {};
}

/** Parses a struct of Thrift's compact protocol at the reader's offset, and moves the offset behind it. */
type ParseThrift = (reader: { view: DataView; offset: number }) => Record<`field_${number}`, unknown>;

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
