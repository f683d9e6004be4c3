import type { SchemaTree } from 'hyparquet';
import { InvalidData, UserError } from '../../../support/user-error.ts';
import { pictureFacts } from '../../pictures/picture-size.ts';
import { PICTURE_NAME } from '../../pictures/pixels.ts';
import { checkTextSize } from '../detect-format.ts';
import { exactJson } from '../json.ts';
import { type ColumnClasses, nameClass, readClasses } from './class-names.ts';
import { checkSizes } from './page-header.ts';

/** The content of a parquet file as JSON Lines. */
export interface ParquetText {
  text: string;
  /** Class names by column. The text contains these names instead of class numbers. */
  classes: ColumnClasses;
  /** Pictures by the names that the text has instead of them, and the columns with such names. */
  pictures: ReadonlyMap<string, Uint8Array>;
  pictureColumns: readonly string[];
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
  const { compressors } = await import('./compressors.ts');
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
    const pictures = new NamedPictures();
    let size = 0;
    for (const group of metadata.row_groups) {
      // The reader would scan all groups again for each group, so it gets metadata with only one.
      const only = { ...metadata, row_groups: [group], num_rows: group.num_rows };
      for (const row of await parquetReadObjects({
        file,
        metadata: only,
        columns: columns.map(({ element }) => element.name),
        compressors,
        parsers,
        utf8: false,
      })) {
        pictures.replace(row, parts.length);
        const line = `${JSON.stringify(row, (key, value) => plain(key, value, classes))}\n`;
        size += line.length;
        checkTextSize(size, where);
        parts.push(line);
      }
    }
    const text = parts.join('');
    return { text, classes, pictures: pictures.content, pictureColumns: [...pictures.columns] };
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

/** The pictures of a file. Rows get their names instead. */
class NamedPictures {
  readonly content = new Map<string, Uint8Array>();
  readonly columns = new Set<string>();

  /** Replaces the pictures in a row. A picture without bytes is a file beside the data, and keeps its path. */
  replace(row: Record<string, unknown>, number: number): void {
    for (const [column, value] of Object.entries(row)) {
      const { bytes, path } = storedPicture(value);
      if (!bytes && path === undefined) continue;
      this.columns.add(column);
      row[column] = bytes ? this.#named(bytes, path, `${column}-${number + 1}`) : path;
    }
  }

  /** Names a picture by its path, unless others have the same path. */
  #named(bytes: Uint8Array, path: string | undefined, otherwise: string): string {
    const isFree = path !== undefined && PICTURE_NAME.test(path) && !this.content.has(path);
    const name = isFree ? path : `${otherwise}.png`;
    // A copy, because the reader's array keeps the whole page in memory.
    this.content.set(name, bytes.slice());
    return name;
  }
}

/** A picture as datasets of the Hub store it, `{bytes, path}`, or the bytes of a file alone. */
function storedPicture(value: unknown): { bytes?: Uint8Array; path?: string } {
  if (value instanceof Uint8Array) return pictureFacts(value) !== undefined ? { bytes: value } : {};
  const { bytes, path, ...others } = Object(value) as Record<string, unknown>;
  if (Object.keys(others).length > 0) return {};
  const named = typeof path === 'string' && path !== '' ? { path } : {};
  if (bytes instanceof Uint8Array) return { bytes, ...named };
  return bytes === null || (bytes === undefined && Object.hasOwn(Object(value), 'bytes')) ? named : {};
}
