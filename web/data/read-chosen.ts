import { findPartNames } from '../../src/input/data/data-parts.ts';
import type { LocalSource } from '../../src/input/formats/byte-source.ts';
import { DEFLATED, openZip, STORED } from '../../src/input/formats/pickle/zip.ts';
import { MEDIA } from '../../src/input/media/media.ts';
import { MAX_FILE_BYTES, type Medium } from '../../src/input/media/medium.ts';
import { UserError } from '../../src/support/user-error.ts';
import { FEW_ROWS } from '../../src/training/run/config/defaults/policy.ts';
import { inflate } from './inflate.ts';
import { type PageTable, readFileTable } from './read-table.ts';
import { NOUNS, type RowFiles, type ToWav } from './row-files.ts';

/** A file that the user chose, with its path in the chosen folder. */
export interface ChosenFile {
  path: string;
  file: File;
}

/** Maximum number of files. A picture takes 200 kB of memory, and a phone's page may have one gigabyte. */
const MAX_FILES = FEW_ROWS;
/** Maximum size of an archive, and of the files in it. */
export const MAX_BYTES = 1e9;
/** A file that describes others, as in Hugging Face's datasets. */
const METADATA = /^metadata\.(csv|jsonl)$/;

/**
 * Reads the files that the user chose: a table, or pictures or sounds as a folder or a zip archive, with a folder for each
 * class or with metadata. The rows of a parquet file may have pictures or sounds, too.
 *
 * @param header as for {@link readFileTable}
 * @throws UserError for other files
 */
export async function readChosen(
  chosen: readonly ChosenFile[],
  toWav: ToWav,
  header?: boolean,
): Promise<PageTable> {
  const table = await readTableOrFiles(chosen, header);
  if (table.contents?.medium !== 'audio') return table;
  const files = new Map<string, Blob>();
  for (const [path, content] of table.contents.files)
    files.set(path, /\.wav$/i.test(path) ? content : await toWav(new File([content], path)));
  return { ...table, contents: { medium: 'audio', files } };
}

async function readTableOrFiles(chosen: readonly ChosenFile[], header?: boolean): Promise<PageTable> {
  const [first] = chosen;
  if (chosen.length === 1 && /\.zip$/i.test(first!.path)) {
    const { file, path } = first!;
    return tableOfFiles(await unzip(file, path, findContents), path);
  }
  if (chosen.length !== 1 || findShown([first!.path])) return tableOfFiles(chosen, 'files');
  const table = await readFileTable(first!.file, header);
  if (table.contents) assertFew([...table.contents.files.keys()], table.fileName, table.contents.medium);
  return table;
}

/** Files in folders of their classes, with a file of metadata, or (images) without labels, as a table. */
async function tableOfFiles(chosen: readonly ChosenFile[], where: string): Promise<PageTable> {
  const { name, files } = withoutRoot(chosen, where);
  const medium = findShown([...files.keys()]);
  if (!medium)
    throw new UserError({
      where: name,
      fault: 'has no JPEG, PNG, WebP or GIF files, and no WAV, FLAC, MP3, Ogg or Opus files',
    });
  const kind = medium.name as RowFiles['medium'];
  const all = [...files.keys()].filter((path) => isShown(path, medium)).sort();
  const { train } = findPartNames([...new Set(all.map((path) => path.split('/')[0]!))]);
  const paths = train === undefined ? all : all.filter((path) => path.startsWith(`${train}/`));
  const notice = train === undefined ? {} : { notice: `The page trains on the folder ${train}.` };
  assertFew(paths, name, kind);
  const contents: RowFiles = { medium: kind, files: new Map(paths.map((path) => [path, files.get(path)!])) };
  const metadata = [...files].find(([path]) => METADATA.test(path));
  if (metadata) {
    const table = await readFileTable(new File([metadata[1]], metadata[0]));
    return { ...table, fileName: name, contents };
  }
  const rows = paths.map((path) => [path, path.split('/').at(-2) ?? '']);
  // Without folders of classes, the user labels them.
  if (kind === 'image' && new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1))).size === 1) {
    const [, folder] = rows[0]!;
    const bare = new Map(paths.map((path) => [path.slice(path.lastIndexOf('/') + 1), files.get(path)!]));
    return {
      fileName: folder || name,
      columns: [kind],
      rows: [...bare.keys()].map((path) => [path]),
      ragged: 0,
      contents: { medium: kind, files: bare },
      ...notice,
    };
  }
  const loose = rows.find(([, label]) => label === '');
  if (loose)
    throw new UserError({
      where: loose[0]!,
      fault: 'is not in a folder of its class',
      hint: `Put the ${NOUNS[kind]}s of each class into a folder with its name, and choose the folder around them.`,
    });
  return { fileName: name, columns: [kind, 'label'], rows, ragged: 0, contents, ...notice };
}

function assertFew({ length }: readonly string[], where: string, medium: RowFiles['medium']): void {
  if (length <= MAX_FILES) return;
  throw new UserError({
    where,
    fault: `has ${length} ${NOUNS[medium]}s; a page takes at most ${MAX_FILES}`,
    hint: 'Use a part of them, or train on the command line: npx adalora train',
  });
}

/** The medium of files: images, if there are any. */
function findShown(paths: readonly string[]): Medium | undefined {
  return MEDIA.find((medium) => paths.some((path) => isShown(path, medium)));
}

/** Hidden files, such as those that macOS adds to archives, have no content. */
function isShown(path: string, { files }: Medium): boolean {
  return files.test(path) && !path.split('/').some((part) => part.startsWith('.'));
}

/**
 * Removes the folders around the metadata or, without metadata, those around the folders of classes from the paths. The
 * last of them is the name of the whole.
 */
function withoutRoot(
  chosen: readonly ChosenFile[],
  name: string,
): { name: string; files: Map<string, File> } {
  const shown = chosen.filter(({ path }) => !path.startsWith('__MACOSX/'));
  const parts = shown.map(({ path }) => path.split('/'));
  const [first = []] = parts;
  const metadata = findMetadata(parts, name);
  const isRoot = (i: number) => parts.every((path) => path[i] === first[i] && path.length > i + 2);
  let depth = metadata ? metadata.length - 1 : 0;
  while (!metadata && depth < first.length && isRoot(depth)) depth++;
  const root = (metadata ?? first).slice(0, depth);
  const files = shown.flatMap(({ file }, i): [string, File][] =>
    root.every((part, at) => parts[i]![at] === part) ? [[parts[i]!.slice(depth).join('/'), file]] : [],
  );
  return { name: root.at(-1) ?? name, files: new Map(files) };
}

/**
 * The path of the metadata. Among several, the one in the folder for training counts.
 *
 * @throws UserError for several without such a folder
 */
function findMetadata(parts: readonly string[][], where: string): string[] | undefined {
  const found = parts.filter((path) => METADATA.test(path.at(-1)!));
  if (found.length <= 1) return found[0];
  const { train } = findPartNames(found.map((path) => path.at(-2) ?? ''));
  const [first, ...others] = found.filter((path) => train !== undefined && path.at(-2) === train);
  if (first && others.length === 0) return first;
  throw new UserError({
    where,
    fault: `has several files of metadata: ${found.map((path) => path.join('/')).join(', ')}`,
    hint: 'Choose a folder with one of them.',
  });
}

/** The pictures or sounds and the metadata among the files of an archive. */
function findContents(names: readonly string[], where: string): (path: string) => boolean {
  const medium = findShown(names);
  const isContent = (path: string) => medium !== undefined && isShown(path, medium);
  // Before they are unpacked.
  if (medium) assertFew(names.filter(isContent), where, medium.name as RowFiles['medium']);
  return (path) => isContent(path) || METADATA.test(path.split('/').at(-1)!);
}

/**
 * Files in an archive.
 *
 * @param find returns the test for the wanted ones
 * @param maxFileBytes maximum size of a compressed one
 * @throws UserError for an archive that is damaged, or larger than a page takes
 */
export async function unzip(
  file: File,
  where: string,
  find: (names: readonly string[], where: string) => (path: string) => boolean,
  maxFileBytes = MAX_FILE_BYTES,
): Promise<ChosenFile[]> {
  if (file.size > MAX_BYTES) throw tooLarge(where);
  const zip = openZip(syncSource(file, where));
  const files: ChosenFile[] = [];
  let size = 0;
  const names = zip.names();
  for (const path of names.filter(find(names, where))) {
    const { begin, end, method } = zip.locate(path)!;
    const packed = file.slice(begin, end);
    const bytes =
      method === STORED ? packed : await unpacked(packed, method, `${where}: ${path}`, maxFileBytes);
    size += bytes.size;
    if (size > MAX_BYTES) throw tooLarge(where);
    files.push({ path, file: new File([bytes], path) });
  }
  return files;
}

async function unpacked(packed: Blob, method: number, where: string, maxBytes: number): Promise<Blob> {
  if (method !== DEFLATED)
    throw new UserError({
      where,
      fault: `is compressed by method ${method}`,
      hint: 'Pack the archive again as an ordinary zip.',
    });
  const bytes = new Uint8Array(await packed.arrayBuffer());
  const whole = await inflate(bytes, 'deflate-raw', where, maxBytes);
  if (whole) return new Blob([whole]);
  throw new UserError({ where, fault: `has more than ${maxBytes} bytes` });
}

function tooLarge(where: string): UserError {
  return new UserError({
    where,
    fault: `has more than ${MAX_BYTES / 1e9} GB, the limit in a page`,
    hint: 'Use a part of it, or train on the command line: npx adalora train',
  });
}

/** In a worker only, so that TypeScript's types of a page lack it. */
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer };

/** A file that a worker reads without waiting, as its directory is read in many small parts. */
function syncSource(file: File, path: string): LocalSource {
  const reader = new FileReaderSync();
  return {
    path,
    size: file.size,
    close() {},
    read: (begin, end) => new Uint8Array(reader.readAsArrayBuffer(file.slice(begin, end))),
  };
}
