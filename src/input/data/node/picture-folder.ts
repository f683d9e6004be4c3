import { readdirSync, realpathSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import { fileError, InvalidData } from '../../../support/user-error.ts';
import { MAX_PICTURE_BYTES, PICTURE_NAME } from '../../pictures/pixels.ts';
import type { TextFile } from '../text-file.ts';

/** Files beside pictures that describe them, as in the imagefolder of Hugging Face's datasets. */
const METADATA = ['metadata.csv', 'metadata.jsonl'];

/** Names of folders for parts of a dataset. */
const PARTS = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'val', 'dev', 'test', 'testing'],
};

/**
 * A folder with one folder of pictures for each class, as a table: the path of each picture, and its class. With a
 * metadata.csv or metadata.jsonl, that file. Undefined for folders without pictures.
 *
 * @param open opens a file of the folder
 */
export function pictureFolder(path: string, open: (path: string) => TextFile): TextFile | undefined {
  const names = picturesIn(path);
  if (names.length === 0) return undefined;
  const metadata = METADATA.find((name) => readdirSync(path).includes(name));
  if (metadata !== undefined) return open(join(path, metadata));
  const hasClasses = names.every((name) => name.split('/').length === 2);
  const lines = names.map((name) =>
    JSON.stringify({ image: name, ...(hasClasses && { label: name.slice(0, name.indexOf('/')) }) }),
  );
  const text = `${lines.join('\n')}\n`;
  return {
    name: path,
    size: text.length,
    read: () => text,
    openPicture: (name) => openPicture(path, name),
    pictureColumns: ['image'],
  };
}

/**
 * The pictures below a folder, as sorted paths with forward slashes.
 *
 * @throws UserError for a file that the system refuses to list
 */
export function picturesIn(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => PICTURE_NAME.test(name) && !basename(name).startsWith('.'))
      .sort();
  } catch (error) {
    throw fileError(error) ?? error;
  }
}

/** The folders of a dataset's parts below a folder. */
export function partsOf(path: string): { train: string; validation?: string } {
  const folders = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const find = (names: readonly string[]) => names.find((name) => folders.includes(name));
  const [train, validation] = [find(PARTS.train), find(PARTS.validation)];
  if (train === undefined || folders.some((name) => ![train, validation].includes(name)))
    return { train: path };
  return { train: join(path, train), ...(validation && { validation: join(path, validation) }) };
}

/**
 * Reads a picture that a row names. A relative path stays in the folder of its table, also through links.
 *
 * @throws UserError for a path that leads elsewhere, and for missing and too large files
 */
export async function openPicture(folder: string, name: string): Promise<Uint8Array> {
  const path = isAbsolute(name) ? name : join(folder, name);
  try {
    const real = realpathSync(path);
    const inside = relative(realpathSync(folder), real);
    if (!isAbsolute(name) && (inside.startsWith(`..${sep}`) || isAbsolute(inside)))
      throw new InvalidData({ where: name, fault: `leads out of the folder ${folder}` });
    const { size } = await stat(real);
    if (size > MAX_PICTURE_BYTES)
      throw new InvalidData({ where: name, fault: `has ${size} bytes, more than ${MAX_PICTURE_BYTES}` });
    return await readFile(real);
  } catch (error) {
    throw fileError(error) ?? error;
  }
}
