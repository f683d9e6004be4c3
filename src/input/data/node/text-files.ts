import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fileError, InvalidData } from '../../../support/user-error.ts';
import { disk } from '../../formats/node/folder-files.ts';
import { hub } from '../../hub/node/resolve-model.ts';
import { MAX_FILE_BYTES } from '../../media/medium.ts';
import { DataFiles } from '../data-files.ts';
import type { ColumnClasses } from '../parquet/class-names.ts';

/** Maximum decompressed size. Reading a text takes up to three times as much memory. */
const MAX_BYTES = 2 ** 28;

/** Decompresses a gzip file. Throws a UserError if it is damaged, or its content is too large. */
export function gunzip(bytes: Uint8Array, where: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new InvalidData({
        where,
        fault: `decompresses to more than ${MAX_BYTES} bytes`,
        hint: 'Decompress the file first.',
      });
    }
    throw new InvalidData({ where, fault: `is not a valid gzip file: ${message}` });
  }
}

async function readParquet(path: string, known?: ColumnClasses) {
  const { parquetFile } = await import('../parquet/node/parquet-file.ts');
  return parquetFile(path, known);
}

export async function openContent(folder: string, name: string): Promise<Uint8Array> {
  const path = isAbsolute(name) ? name : join(folder, name);
  try {
    const real = disk.realPath(path);
    const inside = relative(disk.realPath(folder), real);
    if (!isAbsolute(name) && (inside.startsWith(`..${sep}`) || isAbsolute(inside)))
      throw new InvalidData({ where: name, fault: `leads out of the folder ${folder}` });
    const stats = await stat(real);
    const { size } = stats;
    // Reading a pipe would wait for a writer.
    if (!stats.isFile())
      throw new InvalidData({ where: name, fault: 'is a folder, a device or a pipe. Name a file' });
    if (size > MAX_FILE_BYTES)
      throw new InvalidData({ where: name, fault: `has ${size} bytes, more than ${MAX_FILE_BYTES}` });
    return await readFile(real);
  } catch (error) {
    throw fileError(error) ?? error;
  }
}

/** The data files of this machine. */
export const localData = new DataFiles(hub, { gunzip, readParquet, openContent });

export const textFile = localData.textFile.bind(localData);
export const openDataFiles = localData.open.bind(localData);
