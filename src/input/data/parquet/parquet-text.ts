import { UserError } from '../../../support/user-error.ts';
import { checkTextSize } from '../detect-format.ts';
import { exactJson } from '../json.ts';
import { type ColumnClasses, classesOf, nameClass } from './class-names.ts';
import { checkSizes } from './page-header.ts';
import { withWideDecimals } from './wide-decimals.ts';

/** The content of a parquet file as JSON Lines. */
export interface ParquetText {
  text: string;
  /** Class names by column. The text contains these names instead of class numbers. */
  classes: ColumnClasses;
}

/**
 * Converts a parquet file to JSON Lines. Class numbers become names, and -1 becomes null. Numbers that a
 * double would change become strings.
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
  const { compressors } = await import('./compressors.ts');
  const file = {
    byteLength: bytes.byteLength,
    slice: (from: number, to?: number) =>
      bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + (to ?? bytes.byteLength)),
  };
  try {
    const fileMetadata = parquetMetadata(file.slice(0));
    checkSizes(bytes, fileMetadata);
    const { metadata, rewrites } = withWideDecimals(fileMetadata, parquetSchema);
    const classes = { ...classesOf(metadata.key_value_metadata), ...known };
    const parts: string[] = [];
    let size = 0;
    for (const group of metadata.row_groups) {
      // The reader would scan all groups again for each group, so it gets metadata with only one.
      const only = { ...metadata, row_groups: [group], num_rows: group.num_rows };
      for (const row of await parquetReadObjects({ file, metadata: only, compressors, parsers })) {
        for (const [name, rewrite] of rewrites) row[name] = rewrite(row[name]);
        const line = `${JSON.stringify(row, (key, value) => plain(key, value, classes))}\n`;
        size += line.length;
        checkTextSize(size, where);
        parts.push(line);
      }
    }
    return { text: parts.join(''), classes };
  } catch (error) {
    // For damaged files, the reader throws errors of many classes.
    if (error instanceof UserError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new UserError({ where, fault: `is not a valid parquet file: ${got}` });
  }
}

const parsers = {
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && exactJson(new TextDecoder().decode(bytes)),
};

function plain(key: string, value: unknown, classes: ColumnClasses): unknown {
  if (Object.hasOwn(classes, key)) return nameClass(value, classes[key]!);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  // Omits binary values, such as images and audio.
  return ArrayBuffer.isView(value) ? undefined : value;
}
