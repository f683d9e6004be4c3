import {
  type Dirent,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { nearest } from '../../../support/text.ts';
import { fileError, InvalidData, UserError } from '../../../support/user-error.ts';
import type { DownloadProgress } from '../../formats/byte-source.ts';
import { contentDigest } from '../../formats/node/content-digest.ts';
import { MAX_PICTURE_BYTES, PICTURE_NAME } from '../../pictures/pixels.ts';
import { checkTextSize, decodeText, isGzip, readExtension } from '../detect-format.ts';
import type { ColumnClasses } from '../parquet/class-names.ts';
import { checkRowCount } from '../rows.ts';
import type { TextFile } from '../text-file.ts';

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
export function findParts(path: string): { train: string; validation?: string } {
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

/** Whether a file of a folder is read as text. */
function isReadInFolders(name: string): boolean {
  return /\.((txt|jsonl|ndjson|json)(\.gz)?|parquet)$/i.test(name);
}

/**
 * A text file in UTF-8, with or without byte-order mark. Its content is read on demand.
 *
 * @throws UserError if it is missing or too large; on reading, if it is not UTF-8
 */
export function textFile(path: string): TextFile {
  const stats = readStats(path);
  if (!stats) throw missing(path);
  const pictures = stats.isDirectory() ? pictureFolder(path, textFile) : undefined;
  if (pictures) return pictures;
  if (!stats.isFile()) {
    throw new InvalidData({
      where: path,
      fault: stats.isDirectory() ? 'is a folder. Pass a file' : 'is a device or a pipe. Pass a file',
    });
  }
  return describeFile(path, stats);
}

/**
 * A single file, or all files of a folder if the task accepts folders. For other tasks, a folder has a subfolder of text
 * files for each class, and each file is a row. Parquet is converted to JSON Lines.
 *
 * @param known class names by column, from a source other than the files
 * @throws UserError like {@link textFile}, and for damaged parquet
 */
export function dataFiles(path: string, takesFolders: boolean, known?: ColumnClasses): Promise<TextFile[]> {
  const files = takesFolders ? textFiles(path) : (classFiles(path) ?? [textFile(path)]);
  return Promise.all(
    files.map(async (file) => {
      if (readExtension(file.name) !== 'parquet') return { ...file, ...(known && { classes: known }) };
      const { parquetFile } = await import('../parquet/node/parquet-file.ts');
      const { text, classes, pictures, pictureColumns } = await parquetFile(file.name, known);
      const openStored = async (name: string) => {
        const stored = pictures.get(name);
        if (stored) return stored;
        // The file may come from elsewhere, so it may only name files in its folder.
        if (isAbsolute(name))
          throw new UserError({ where: name, fault: `leads out of the folder of ${file.name}` });
        return file.openPicture!(name);
      };
      return { ...file, classes, read: () => text, openPicture: openStored, pictureColumns };
    }),
  );
}

/**
 * A file, or the text files of a folder (`.txt`, JSON Lines) sorted by name. Throws a UserError like {@link
 * textFile}.
 */
export function textFiles(path: string): TextFile[] {
  if (isQrels(path))
    return [path, ...BESIDE_QRELS.map((name) => join(dirname(path), '..', name))].map(textFile);
  if (!readStats(path)?.isDirectory()) return [textFile(path)];
  const names = readdirSync(path).filter(isReadInFolders);
  const files = names.sort().map((name) => textFile(join(path, name)));
  if (files.length > 0) return files;
  throw new InvalidData({
    where: path,
    fault: 'has no text files (.txt, .jsonl)',
  });
}

/**
 * The files in the subfolders of a folder. Each is a row of JSON Lines with the file's `text`, and the name of its subfolder
 * as `label`. Undefined if the path is not a folder with such files, or has pictures.
 */
export function classFiles(path: string): TextFile[] | undefined {
  if (!readStats(path)?.isDirectory() || pictureFolder(path, textFile)) return undefined;
  const isShown = ({ name }: Dirent) => !name.startsWith('.');
  const labels = readdirSync(path, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && isShown(entry),
  );
  const files = labels.flatMap(({ name: label }) =>
    readdirSync(join(path, label), { withFileTypes: true })
      .filter((entry) => entry.isFile() && isShown(entry))
      .map((entry) => ({ label, file: textFile(join(path, label, entry.name)) })),
  );
  checkRowCount(files.length, path);
  files.sort((a, b) => (a.file.name < b.file.name ? -1 : 1));
  if (files.length === 0) return undefined;
  return files.map(({ label, file }) => ({
    ...file,
    read: (onNotice) => `${JSON.stringify({ text: file.read(onNotice), label })}\n`,
  }));
}

/** Files beside a folder of relevance judgements (qrels) in BEIR's layout. */
const BESIDE_QRELS = ['corpus.jsonl', 'queries.jsonl'];

function isQrels(path: string): boolean {
  const folder = dirname(path);
  return basename(folder) === 'qrels' && BESIDE_QRELS.every((name) => existsSync(join(folder, '..', name)));
}

/** Undefined if the path does not exist. Throws a UserError if the system denies access to it. */
function readStats(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error) ?? error;
  }
}

function describeFile(path: string, { size }: Stats): TextFile {
  checkTextSize(size, path);
  return {
    name: path,
    size,
    digest: () => contentDigest(path),
    openPicture: (picture) => openPicture(dirname(path), picture),
    read(onNotice) {
      const bytes = readFileSync(path);
      return decodeText(isGzip(bytes) ? gunzip(bytes, path) : bytes, path, onNotice);
    },
  };
}

function missing(path: string): UserError {
  const [folder, name] = [dirname(path), basename(path)];
  let siblings: Dirent[] = [];
  try {
    siblings = readdirSync(folder, { withFileTypes: true });
  } catch {
    return new UserError({
      where: path,
      fault: `does not exist: there is no folder ${folder}`,
      code: 'not_found',
    });
  }
  const below = siblings
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name, name))
    .find((other) => existsSync(other));
  const near = nearest(
    name,
    siblings.map((entry) => entry.name),
  );
  const guesses = below === undefined ? near : [below];
  // Users often start a command in the parent folder of a config and its data, and forget that paths are
  // relative to the current folder.
  const why = below === undefined || isAbsolute(path) ? '' : ' Paths are relative to the current folder.';
  const hint = guesses.length > 0 ? `Did you mean ${guesses.join(', ')}?${why}` : undefined;
  return new UserError({ where: path, fault: 'does not exist', hint, code: 'not_found' });
}

/**
 * The files of a `data` section: a file, a folder, or a split of a dataset on the Hub.
 *
 * @param place a path, or the split's name
 * @throws UserError for missing and damaged files
 */
export async function openDataFiles(
  { dataset, subset }: { dataset?: string; subset?: string },
  place: string,
  takesFolders: boolean,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<TextFile[]> {
  if (dataset === undefined) return dataFiles(place, takesFolders);
  const { resolveSplit } = await import('../hub/node/resolve-dataset.ts');
  const { paths, classes } = await resolveSplit({ dataset, subset, split: place }, { onProgress });
  const known = Object.keys(classes).length > 0 ? classes : undefined;
  return (await Promise.all(paths.map((path) => dataFiles(path, false, known)))).flat();
}
