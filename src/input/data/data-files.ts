import { mapValues } from '../../support/options.ts';
import { lastPart, nearest } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import { type DownloadProgress, wholeFile } from '../formats/byte-source.ts';
import { type FolderFiles, listSafely, openFile } from '../formats/files.ts';
import type { Hub } from '../hub/hub.ts';
import { MEDIA } from '../media/media.ts';
import type { Medium } from '../media/medium.ts';
import { type DataParts, findPartNames, parseSlice } from './data-parts.ts';
import { checkTextSize, decodeText, isGzip, readExtension } from './detect-format.ts';
import type { ColumnClasses } from './parquet/class-names.ts';
import type { ParquetText } from './parquet/parquet-text.ts';
import { checkRowCount } from './rows.ts';
import { pickRows } from './table/row-slice.ts';
import type { TextFile } from './text-file.ts';

/** Files beside images or other media that describe them, as in the imagefolder of Hugging Face's datasets. */
const METADATA = ['metadata.csv', 'metadata.jsonl'];

/** Files beside a folder of relevance judgements (qrels) in BEIR's layout. */
const BESIDE_QRELS = ['corpus.jsonl', 'queries.jsonl'];

/** How a machine reads what is not plain text. */
interface DataReaders {
  /** Decompresses a gzip file. Throws a UserError if it is damaged, or its content is too large. */
  gunzip(bytes: Uint8Array, where: string): Uint8Array;
  /** Throws a UserError for a file that is damaged, or takes too much time or memory. */
  readParquet(path: string, known?: ColumnClasses): Promise<ParquetText>;
  /**
   * Reads a file that a row names. A relative path stays in the folder of its table, also through links.
   *
   * @throws UserError for a path that leads elsewhere, and for missing and too large files
   */
  openContent(folder: string, name: string): Promise<Uint8Array>;
}

/** The data files of a machine, by their paths. */
export class DataFiles {
  readonly #hub: Hub;
  readonly #disk: FolderFiles;
  readonly #readers: DataReaders;

  constructor(hub: Hub, readers: DataReaders) {
    this.#hub = hub;
    this.#disk = hub.disk;
    this.#readers = readers;
  }

  /**
   * The files of a `data` section: a file, a folder, or a split of a dataset on the Hub.
   *
   * @param place a path, or the split's name
   * @throws UserError for missing and damaged files
   */
  async open(
    { dataset, subset }: { dataset?: string; subset?: string },
    place: string,
    takesFolders: boolean,
    onProgress?: (progress: DownloadProgress) => void,
  ): Promise<TextFile[]> {
    if (dataset === undefined) return this.at(place, takesFolders);
    const { resolveSplit } = await import('./hub/resolve-dataset.ts');
    const { paths, classes } = await resolveSplit(
      this.#hub,
      { dataset, subset, split: place },
      { onProgress },
    );
    const known = Object.keys(classes).length > 0 ? classes : undefined;
    return (await Promise.all(paths.map((path) => this.at(path, false, known)))).flat();
  }

  /**
   * A single file, or all files of a folder if the task accepts folders. For other tasks, a folder has a subfolder of
   * text files for each class, and each file is a row. Parquet is converted to JSON Lines. The path `rows.csv#split=train`
   * names only the rows with this value in this column.
   *
   * @param known class names by column, from a source other than the files
   * @throws UserError like {@link textFile}, and for damaged parquet
   */
  async at(path: string, takesFolders: boolean, known?: ColumnClasses): Promise<TextFile[]> {
    const slice = this.#disk.has(path) ? undefined : parseSlice(path);
    if (slice) {
      const whole = await this.at(slice.path, takesFolders, known);
      return whole.map((file) => ({
        ...file,
        read: (onNotice) => pickRows(file.read(onNotice), file.name, slice),
      }));
    }
    const files = takesFolders ? this.textFiles(path) : (this.classFiles(path) ?? [this.textFile(path)]);
    return Promise.all(
      files.map(async (file) => {
        if (readExtension(file.name) !== 'parquet') return { ...file, ...(known && { classes: known }) };
        const { text, classes, stored, contentColumns } = await this.#readers.readParquet(file.name, known);
        const openStored = async (name: string) => {
          return stored.get(name) ?? file.openContent!(name);
        };
        return { ...file, classes, read: () => text, openContent: openStored, contentColumns };
      }),
    );
  }

  /**
   * A file, or the text files of a folder (`.txt`, JSON Lines) sorted by name. Throws a UserError like {@link
   * textFile}.
   */
  textFiles(path: string): TextFile[] {
    if (this.#isQrels(path))
      return [path, ...BESIDE_QRELS.map((name) => this.#disk.path(`${path}/../../${name}`))].map((one) =>
        this.textFile(one),
      );
    if (!this.#isFolder(path)) return [this.textFile(path)];
    const folder = this.#disk.within(path);
    const names = folder.list().filter(isReadInFolders);
    const files = names.sort().map((name) => this.textFile(folder.path(name)));
    if (files.length > 0) return files;
    throw new InvalidData({
      where: path,
      fault: 'has no text files (.txt, .jsonl)',
    });
  }

  #isQrels(path: string): boolean {
    const beside = (name: string) => this.#disk.has(this.#disk.path(`${path}/../../${name}`));
    return lastPart(this.#disk.path(`${path}/..`)) === 'qrels' && BESIDE_QRELS.every(beside);
  }

  #isFolder(path: string): boolean {
    return this.#disk.stat(path)?.kind === 'folder';
  }

  /**
   * A text file in UTF-8, with or without byte-order mark. Its content is read on demand.
   *
   * @throws UserError if it is missing or too large; on reading, if it is not UTF-8
   */
  textFile(path: string): TextFile {
    const state = this.#disk.stat(path);
    if (!state) throw this.#missing(path);
    const { kind, size } = state;
    const listed = kind === 'folder' ? this.mediaFolder(path) : undefined;
    if (listed) return listed;
    if (kind !== 'file') {
      throw new InvalidData({
        where: path,
        fault: kind === 'folder' ? 'is a folder. Pass a file' : 'is a device or a pipe. Pass a file',
      });
    }
    return this.#describe(path, size);
  }

  #describe(path: string, size: number): TextFile {
    checkTextSize(size, path);
    const { openContent } = this.#readers;
    const folder = this.#disk.path(`${path}/..`);
    return {
      name: path,
      size,
      digest: () => this.#disk.digest(path),
      async openContent(name) {
        // The file may come from elsewhere, so it may only name files in its folder.
        if (isAbsolute(name))
          throw new UserError({ where: name, fault: `leads out of the folder of ${path}` });
        return openContent(folder, name);
      },
      read: (onNotice) => {
        const bytes = wholeFile(openFile(this.#disk, path, 'a file'), Number.POSITIVE_INFINITY);
        return decodeText(isGzip(bytes) ? this.#readers.gunzip(bytes, path) : bytes, path, onNotice);
      },
    };
  }

  #missing(path: string): UserError {
    const [folder, name] = [this.#disk.path(`${path}/..`), lastPart(path)];
    if (!this.#isFolder(folder)) {
      return new UserError({
        where: path,
        fault: `does not exist: there is no folder ${folder}`,
        code: 'not_found',
      });
    }
    const beside = this.#disk.within(folder);
    const entries = listSafely(beside);
    const below = entries.map((entry) => `${entry}/${name}`).find((other) => beside.has(other));
    const near = below === undefined ? nearest(name, entries) : [below];
    const shown = isAbsolute(path) ? '' : path.slice(0, path.length - name.length);
    const guesses = near.map((entry) => shown + entry);
    // Users often start a command in the parent folder of a config and its data, and forget that paths are
    // relative to the current folder.
    const why = below === undefined || isAbsolute(path) ? '' : ' Paths are relative to the current folder.';
    const hint = guesses.length > 0 ? `Did you mean ${guesses.join(', ')}?${why}` : undefined;
    return new UserError({ where: path, fault: 'does not exist', hint, code: 'not_found' });
  }

  /**
   * The files in the subfolders of a folder. Each is a row of JSON Lines with the file's `text`, and the name of its
   * subfolder as `label`. Undefined if the path is not a folder with such files, or has images or other media.
   */
  classFiles(path: string): TextFile[] | undefined {
    if (!this.#isFolder(path) || this.mediaFolder(path)) return undefined;
    const isShown = ({ name }: { name: string }) => !name.startsWith('.');
    const labels = this.#entries(path, 'folder').filter(isShown);
    const files = labels.flatMap(({ name: label }) => {
      const folder = this.#disk.within(`${path}/${label}`);
      const shown = this.#entries(folder.name, 'file').filter(isShown);
      return shown.map(({ name, size }) => ({ label, file: this.#describe(folder.path(name), size) }));
    });
    checkRowCount(files.length, path);
    files.sort((a, b) => (a.file.name < b.file.name ? -1 : 1));
    if (files.length === 0) return undefined;
    return files.map(({ label, file }) => ({
      ...file,
      read: (onNotice) => `${JSON.stringify({ text: file.read(onNotice), label })}\n`,
    }));
  }

  /** The files or folders in a folder, without links. */
  #entries(path: string, wanted: 'file' | 'folder'): { name: string; size: number }[] {
    const folder = this.#disk.within(path);
    return folder.list().flatMap((name) => {
      const { kind, isLink, size = 0 } = folder.stat(name) ?? {};
      return kind === wanted && !isLink ? [{ name, size }] : [];
    });
  }

  /**
   * A folder with one folder of images, or files of another medium, for each class, as a table: the path of each file, and
   * its class. With a metadata.csv or metadata.jsonl, that file. Undefined for folders without such files.
   *
   * @throws UserError for a folder with both, as Hugging Face's datasets refuse it
   */
  mediaFolder(path: string): TextFile | undefined {
    const found = MEDIA.map((medium) => ({ medium, names: this.mediaIn(path, medium) })).find(
      ({ names }) => names.length > 0,
    );
    if (!found) return undefined;
    const { medium, names } = found;
    const folder = this.#disk.within(path);
    const [metadata, other] = METADATA.filter((name) => folder.has(name));
    if (other !== undefined)
      throw new InvalidData({ where: path, fault: `has both ${metadata} and ${other}. Keep one of them` });
    if (metadata !== undefined) return this.textFile(folder.path(metadata));
    const hasClasses = names.every((name) => name.split('/').length === 2);
    const lines = names.map((name) =>
      JSON.stringify({ [medium.name]: name, ...(hasClasses && { label: name.slice(0, name.indexOf('/')) }) }),
    );
    const text = `${lines.join('\n')}\n`;
    return {
      name: path,
      size: text.length,
      read: () => text,
      openContent: (name) => this.#readers.openContent(path, name),
      contentColumns: { [medium.name]: medium.name },
    };
  }

  /**
   * The files of a medium below a folder, as sorted paths with forward slashes.
   *
   * @throws UserError for a folder that the system refuses to list
   */
  mediaIn(path: string, { files }: Medium): string[] {
    return this.#disk
      .within(path)
      .listAll()
      .filter((name) => files.test(name) && !lastPart(name).startsWith('.'))
      .sort();
  }

  /** The folders of a dataset's parts below a folder. Without them, the folder itself. */
  findParts(path: string): DataParts {
    const folder = this.#disk.within(path);
    const names = this.#isFolder(path) ? this.#entries(path, 'folder').map(({ name }) => name) : [];
    return { train: path, ...mapValues({ ...findPartNames(names) }, (name) => folder.path(name)) };
  }
}

/** Whether a file of a folder is read as text. */
function isReadInFolders(name: string): boolean {
  return /\.((txt|jsonl|ndjson|json)(\.gz)?|parquet)$/i.test(name);
}

/** Whether a path is absolute on any system. */
function isAbsolute(path: string): boolean {
  return /^([\\/]|[a-z]:)/i.test(path);
}
