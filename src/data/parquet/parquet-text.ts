import { UserError } from '../../support/user-error.ts';
import { checkTextSize } from '../decode-text.ts';
import { exactJson } from '../exact-json.ts';
import { checkSizes } from './check-sizes.ts';
import { type ColumnClasses, classesOf, nameClass } from './class-names.ts';
import { decimalText, withWideDecimals } from './wide-decimals.ts';

/** A parquet file as JSON Lines: what reads those reads these. */
export interface ParquetText {
  text: string;
  /** Names of classes, by column; their numbers stand in the text no more. */
  classes: ColumnClasses;
}

/**
 * Unpacks a parquet file, a row a line. Classes are written by their names, -1 as null, and numbers that a double would
 * change as texts.
 *
 * @param known classes that something beside the file tells
 * @throws UserError for a file that is damaged, or larger than it may be
 */
export async function parquetText(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  known: ColumnClasses = {},
): Promise<ParquetText> {
  const { parquetMetadata, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('./compressors.ts');
  const file = {
    byteLength: bytes.byteLength,
    slice: (from: number, to?: number) =>
      bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + (to ?? bytes.byteLength)),
  };
  try {
    const found = parquetMetadata(file.slice(0));
    checkSizes(bytes, found);
    const { metadata, scales } = withWideDecimals(found);
    const classes = { ...classesOf(metadata.key_value_metadata), ...known };
    const parts: string[] = [];
    let size = 0;
    for (const group of metadata.row_groups) {
      // The reader goes through all groups each time, to find those that it wants.
      const only = { ...metadata, row_groups: [group], num_rows: group.num_rows };
      for (const row of await parquetReadObjects({ file, metadata: only, compressors, parsers })) {
        for (const [name, scale] of scales) row[name] = decimalText(row[name], scale);
        const line = `${JSON.stringify(row, (key, value) => plain(key, value, classes))}\n`;
        size += line.length;
        checkTextSize(size, where);
        parts.push(line);
      }
    }
    return { text: parts.join(''), classes };
  } catch (error) {
    // The reader throws errors of many kinds for damaged files.
    if (error instanceof UserError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new UserError({ where, expected: 'a sound parquet file', got });
  }
}

const parsers = {
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && exactJson(new TextDecoder().decode(bytes)),
};

function plain(key: string, value: unknown, classes: ColumnClasses): unknown {
  if (Object.hasOwn(classes, key)) return nameClass(value, classes[key]);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  // Pictures and sounds.
  return ArrayBuffer.isView(value) ? undefined : value;
}
