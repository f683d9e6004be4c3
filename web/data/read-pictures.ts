import { findPartNames } from '../../src/input/data/data-parts.ts';
import type { LocalSource } from '../../src/input/formats/byte-source.ts';
import { openZip } from '../../src/input/formats/pickle/stored-zip.ts';
import { DEFLATED, STORED } from '../../src/input/formats/pickle/zip-entries.ts';
import { IMAGES } from '../../src/input/media/images/medium.ts';
import { MAX_FILE_BYTES } from '../../src/input/media/medium.ts';
import { UserError } from '../../src/support/user-error.ts';
import { FEW_ROWS } from '../../src/training/run/config/defaults/policy.ts';
import { inflate } from './inflate.ts';
import { type PageTable, readFileTable } from './read-table.ts';

/** A file that the user chose, with its path in the chosen folder. */
export interface ChosenFile {
  path: string;
  file: File;
}

/** Maximum number of pictures. Each takes 200 kB of memory, and a phone's page may have one gigabyte. */
const MAX_PICTURES = FEW_ROWS;
/** Maximum size of an archive, and of the pictures in it. */
const MAX_BYTES = 1e9;
/** A file that describes pictures, as in Hugging Face's datasets. */
const METADATA = /^metadata\.(csv|jsonl)$/;

/**
 * Reads the files that the user chose: a table, or pictures as a folder or a zip archive with a folder for each class. The
 * rows of a parquet file may have pictures, too.
 *
 * @param header as for {@link readFileTable}
 * @throws UserError for other files
 */
export async function readChosen(chosen: readonly ChosenFile[], header?: boolean): Promise<PageTable> {
  const [first] = chosen;
  if (chosen.length === 1 && /\.zip$/i.test(first!.path)) {
    const { file, path } = first!;
    return pictureTable(await unzip(file, path), path);
  }
  const isTable = chosen.length === 1 && !IMAGES.files.test(first!.path);
  if (!isTable) return pictureTable(chosen, 'pictures');
  const table = await readFileTable(first!.file, header);
  assertFew([...(table.pictures?.keys() ?? [])], table.fileName);
  return table;
}

/** Pictures in folders of their classes, or with a file of metadata, as a table. */
async function pictureTable(chosen: readonly ChosenFile[], where: string): Promise<PageTable> {
  const { name, files } = withoutRoot(chosen, where);
  const all = [...files.keys()].filter(isPicture).sort();
  const { train } = findPartNames([...new Set(all.map((path) => path.split('/')[0]!))]);
  const paths = train === undefined ? all : all.filter((path) => path.startsWith(`${train}/`));
  const notice = train === undefined ? {} : { notice: `The page trains on the folder ${train}.` };
  if (paths.length === 0) throw new UserError({ where: name, fault: 'has no JPEG, PNG, WebP or GIF files' });
  assertFew(paths, name);
  const pictures = new Map(paths.map((path) => [path, files.get(path)!]));
  const metadata = [...files].find(([path]) => METADATA.test(path));
  if (metadata) return { ...(await readFileTable(new File([metadata[1]], metadata[0]))), pictures };
  const rows = paths.map((path) => [path, path.split('/').at(-2) ?? '']);
  const loose = rows.find(([, label]) => label === '');
  if (loose)
    throw new UserError({
      where: loose[0]!,
      fault: 'is not in a folder of its class',
      hint: 'Put the pictures of each class into a folder with its name, and choose the folder around them.',
    });
  return { fileName: name, columns: ['image', 'label'], rows, ragged: 0, pictures, ...notice };
}

function assertFew({ length }: readonly string[], where: string): void {
  if (length <= MAX_PICTURES) return;
  throw new UserError({
    where,
    fault: `has ${length} pictures; a page takes at most ${MAX_PICTURES}`,
    hint: 'Use a part of them, or train on the command line: npx adalora train',
  });
}

/** Hidden files, such as those that macOS adds to archives, are no pictures. */
function isPicture(path: string): boolean {
  return IMAGES.files.test(path) && !path.split('/').some((part) => part.startsWith('.'));
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
  const metadata = parts.find((path) => METADATA.test(path.at(-1)!));
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
 * The pictures and the metadata in an archive.
 *
 * @throws UserError for an archive that is damaged, or larger than a page takes
 */
async function unzip(file: File, where: string): Promise<ChosenFile[]> {
  if (file.size > MAX_BYTES) throw tooLarge(where);
  const zip = openZip(syncSource(file, where));
  const files: ChosenFile[] = [];
  let size = 0;
  const names = zip.names();
  // Before they are unpacked.
  assertFew(names.filter(isPicture), where);
  for (const path of names) {
    if (!isPicture(path) && !METADATA.test(path.split('/').at(-1)!)) continue;
    const { begin, end, method } = zip.locate(path)!;
    const packed = file.slice(begin, end);
    const bytes = method === STORED ? packed : await unpacked(packed, method, `${where}: ${path}`);
    size += bytes.size;
    if (size > MAX_BYTES) throw tooLarge(where);
    files.push({ path, file: new File([bytes], path) });
  }
  return files;
}

async function unpacked(packed: Blob, method: number, where: string): Promise<Blob> {
  if (method !== DEFLATED)
    throw new UserError({
      where,
      fault: `is compressed by method ${method}`,
      hint: 'Pack the archive again as an ordinary zip.',
    });
  const bytes = new Uint8Array(await packed.arrayBuffer());
  const whole = await inflate(bytes, 'deflate-raw', where, MAX_FILE_BYTES);
  if (whole) return new Blob([whole]);
  throw new UserError({ where, fault: `has more than ${MAX_FILE_BYTES} bytes` });
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
