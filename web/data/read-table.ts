import { decodeText, isGzip, isParquet, isSpreadsheet } from '../../src/input/data/detect-format.ts';
import { readTable, type Table } from '../../src/input/data/table/read-table.ts';
import { trainingRows } from '../../src/input/data/table/row-slice.ts';
import { findMedium } from '../../src/input/media/media.ts';
import { UserError } from '../../src/support/user-error.ts';
import { joinLabels } from '../../src/tasks/guess/guess-data.ts';
import { inflate } from './inflate.ts';
import type { RowFiles } from './row-files.ts';
import { unpackParquet } from './unpack-parquet.ts';

/** Maximum size. Reading a table takes about ten times its size in memory, and a page should not take a gigabyte. */
const MAX_BYTES = 50e6;
/** Maximum size of a parquet file, which may contain pictures or sounds. For a while, they are in memory twice. */
const MAX_PARQUET_BYTES = 200e6;

/** A table, a notice about how it was read, and the files that its rows name. */
export type PageTable = Table & { notice?: string; contents?: RowFiles };

/**
 * Reads a user's CSV, TSV, JSON Lines or parquet file. Files may be compressed by gzip.
 *
 * @param header whether the first line names the columns; by default it is detected
 * @throws UserError for a file that is empty, too large, not text, or has no rows
 */
export async function readFileTable(file: File, header?: boolean): Promise<PageTable> {
  const { contents, notice, ...read } = await parseFile(file, header);
  const training = trainingRows(read, read.fileName);
  const notices = [notice, training.notice && `${training.notice} The page trains on the first part.`];
  const told = notices.filter((one) => one !== undefined).join(' ');
  return {
    ...joinLabels(training.table),
    ...(contents && { contents }),
    ...(told !== '' && { notice: told }),
  };
}

async function parseFile(file: File, header: boolean | undefined): Promise<PageTable> {
  const { name } = file;
  if (isParquet(new Uint8Array(await file.slice(0, 4).arrayBuffer()))) return parquetTable(file);
  assertSize(file, MAX_BYTES);
  const packed = new Uint8Array(await file.arrayBuffer());
  const bytes = isGzip(packed) ? await inflate(packed, 'gzip', name, MAX_BYTES) : packed;
  if (!bytes) throw tooLarge(name, MAX_BYTES, 'unpacked');
  if (isParquet(bytes)) return parquetTable(new File([bytes], name));
  if (bytes.includes(0) && !isSpreadsheet(bytes))
    throw new UserError({
      where: name,
      fault: 'is a binary file',
      hint: 'Choose CSV, TSV, JSON Lines or parquet.',
    });
  let notice: string | undefined;
  const content = decodeText(bytes, name, (message) => {
    notice = message;
  });
  return { ...readTable(content, name, { header }), ...(notice !== undefined && { notice }) };
}

async function parquetTable(file: File): Promise<PageTable> {
  const { name } = file;
  assertSize(file, MAX_PARQUET_BYTES);
  const { lines, stored } = await unpackParquet(file, name);
  if (lines.length > MAX_BYTES) throw tooLarge(name, MAX_BYTES, 'unpacked');
  const medium = findMedium([...stored.keys()])?.name as RowFiles['medium'] | undefined;
  return {
    ...readTable(lines, name, { format: 'jsonl' }),
    ...(medium && { contents: { medium, files: stored } }),
  };
}

function assertSize({ name, size }: File, limit: number): void {
  if (size > limit) throw tooLarge(name, limit, `${Math.round(size / 1e6)} MB`);
}

function tooLarge(where: string, limit: number, got: string): UserError {
  const hint = 'Use a part of it, or train on the command line: npx adalora train';
  return new UserError({
    where,
    fault: `is larger than ${limit / 1e6} MB (${got}), the limit in a page`,
    hint,
  });
}
