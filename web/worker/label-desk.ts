import {
  type LabelAction,
  LabelSession,
  type LabelState,
  type OfferedRow,
  SEPARATOR,
} from '../../src/studies/jobs/label-session.ts';
import { type GivenLabel, MAX_LABELS } from '../../src/studies/jobs/labeling.ts';
import { Sha256 } from '../../src/support/sha256.ts';
import { UserError } from '../../src/support/user-error.ts';
import type { ChosenFile } from '../data/read-chosen.ts';
import type { BegunLabels } from './messages.ts';
import { holdLock, openPrivateFiles, readFile, writeFile } from './run-store.ts';

/** The rows of a file. */
export interface FileRows {
  fileName: string;
  rows: OfferedRow[];
  /** The pictures that the rows name. */
  pictures?: ReadonlyMap<string, Blob>;
}

interface Answers {
  labels: string[];
  several: boolean;
  answers: readonly GivenLabel[];
}

/** The rows as they are stored. The vectors are stored, too, so that labeling continues at once and without the model. */
type StoredRows = Omit<FileRows, 'pictures'> & { sizes?: number[] };

const [FOLDER, ROWS, ANSWERS] = ['labels', 'rows.json', 'answers.json'];
const [VECTORS, PICTURES] = ['vectors.bin', 'pictures.bin'];

/** Labels the rows of one file at a time. Every answer is stored in the browser's private files before the next row is asked. */
export class LabelDesk {
  #session: LabelSession | undefined;
  #rows: FileRows | undefined;
  #answers: Answers = { labels: [], several: false, answers: [] };
  #folder: FileSystemDirectoryHandle | undefined;
  #release = () => {};

  /**
   * Begins to label a file, or continues with its stored answers.
   *
   * @param embed computes the vectors of the rows if they are not stored
   * @throws UserError for fewer than two labels or too many, or if another tab labels the file
   */
  async begin(
    file: FileRows,
    given: Pick<Answers, 'labels' | 'several'>,
    embed: () => Promise<Float32Array[]>,
  ): Promise<BegunLabels> {
    const { fileName, rows, pictures } = file;
    if (rows.length === 0) throw new UserError({ where: fileName, fault: 'has no rows in this column' });
    this.#release();
    this.#session = undefined;
    this.#rows = file;
    const id = new Sha256().update(JSON.stringify([fileName, rows])).digest('hex');
    const root = await labelFolder();
    if (root) this.#release = await hold(id, fileName);
    try {
      const folder = await root?.getDirectoryHandle(id, { create: true });
      this.#folder = folder;
      const kept = folder && (await readJson<Answers>(folder, ANSWERS));
      const labels = [...new Set([...(kept?.labels ?? []), ...given.labels])];
      const several = kept?.several ?? given.several;
      assertLabels(labels, several);
      this.#answers = { labels, several, answers: kept?.answers ?? [] };
      const vectors = (folder && (await readVectors(folder, rows.length))) ?? (await embed());
      if (folder && !(await readFile(folder, ROWS))) await storeRows(folder, file, vectors);
      this.#session = new LabelSession(rows, vectors, labels, this.#answers.answers, several);
      const state = await this.#session.begin();
      return {
        fileName,
        rows,
        isPictures: pictures !== undefined,
        several,
        isKept: root !== undefined,
        state,
      };
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async act(action: LabelAction): Promise<LabelState> {
    const state = await this.#session!.act(action);
    const stored: Answers = { ...this.#answers, answers: state.answers };
    if (this.#folder) await writeFile(this.#folder, ANSWERS, JSON.stringify(stored));
    return state;
  }

  /** A picture among the rows. */
  picture(name: string): Blob | undefined {
    return this.#rows?.pictures?.get(name);
  }

  /** The labeled rows. Those of pictures are the metadata of their folder, as Hugging Face's datasets read it. */
  table(form: 'csv' | 'jsonl'): File {
    const { fileName, pictures } = this.#rows!;
    const name = pictures ? `metadata.${form}` : `${fileName.replace(/\.[^.]*$/, '')}-labeled.${form}`;
    return new File([this.#session!.table(form, pictures ? 'file_name' : 'text')], name);
  }

  /** The labeled rows with their pictures, as files to train on. */
  chosen(): ChosenFile[] {
    const { pictures = new Map<string, Blob>() } = this.#rows!;
    const table = this.table('csv');
    const files = [...pictures].map(([path, blob]) => ({ path, file: new File([blob], path) }));
    return [{ path: table.name, file: table }, ...files];
  }

  /** The stored file that was labeled last, with its number of answers. */
  async kept(): Promise<(FileRows & { answers: number }) | undefined> {
    let newest: { folder: FileSystemDirectoryHandle; answers: File } | undefined;
    for await (const folder of (await labelFolder())?.values() ?? []) {
      const answers = folder.kind === 'directory' && (await readFile(folder, ANSWERS));
      if (answers && (!newest || answers.lastModified > newest.answers.lastModified))
        newest = { folder: folder as FileSystemDirectoryHandle, answers };
    }
    const file = newest && (await readRows(newest.folder));
    if (!file) return undefined;
    const { answers }: Answers = JSON.parse(await newest!.answers.text());
    return answers.length > 0 ? { ...file, answers: answers.length } : undefined;
  }

  /** Deletes the answers to the file. */
  async discard(): Promise<void> {
    this.#session = undefined;
    if (this.#folder) await (await labelFolder())?.removeEntry(this.#folder.name, { recursive: true });
    this.#folder = undefined;
    this.#release();
  }
}

async function labelFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  return (await openPrivateFiles())?.getDirectoryHandle(FOLDER, { create: true });
}

async function hold(id: string, where: string): Promise<() => void> {
  const release = await holdLock(`adalora-labels-${id}`);
  if (release) return release;
  throw new UserError({ where, fault: 'is being labeled in another tab', hint: 'Close that tab first.' });
}

function assertLabels(labels: readonly string[], several: boolean): void {
  const joined = several && labels.find((label) => label.includes(SEPARATOR));
  if (joined)
    throw new UserError(`Name labels without "${SEPARATOR}", which separates them in a row: ${joined}`);
  if (labels.length >= 2 && labels.length <= MAX_LABELS) return;
  throw new UserError(`Name 2 to ${MAX_LABELS} labels, separated by commas: bug, question, praise`);
}

/** The rows come last: without them, the rest is stored again. */
async function storeRows(
  folder: FileSystemDirectoryHandle,
  { fileName, rows, pictures }: FileRows,
  vectors: readonly Float32Array[],
): Promise<void> {
  const blobs = rows.flatMap(({ text }) => pictures?.get(text) ?? []);
  await writeFile(folder, VECTORS, new Blob(vectors as Float32Array<ArrayBuffer>[]));
  if (pictures) await writeFile(folder, PICTURES, new Blob(blobs));
  const stored: StoredRows = { fileName, rows, ...(pictures && { sizes: blobs.map(({ size }) => size) }) };
  await writeFile(folder, ROWS, JSON.stringify(stored));
}

async function readRows(folder: FileSystemDirectoryHandle): Promise<FileRows | undefined> {
  const stored = await readJson<StoredRows>(folder, ROWS);
  if (!stored) return undefined;
  const { sizes, ...file } = stored;
  const all = sizes && (await readFile(folder, PICTURES));
  if (!all) return file;
  const pictures = new Map<string, Blob>();
  let start = 0;
  for (const [i, { text }] of file.rows.entries()) {
    pictures.set(text, all.slice(start, start + sizes[i]!));
    start += sizes[i]!;
  }
  return { ...file, pictures };
}

/** Undefined if they are not stored, or not all. */
async function readVectors(
  folder: FileSystemDirectoryHandle,
  rows: number,
): Promise<Float32Array[] | undefined> {
  const stored = (await readFile(folder, ROWS)) && (await readFile(folder, VECTORS));
  if (!stored || stored.size === 0 || stored.size % (4 * rows) !== 0) return undefined;
  const all = new Float32Array(await stored.arrayBuffer());
  const width = all.length / rows;
  return Array.from({ length: rows }, (_, i) => all.subarray(i * width, (i + 1) * width));
}

async function readJson<T>(folder: FileSystemDirectoryHandle, name: string): Promise<T | undefined> {
  const file = await readFile(folder, name);
  return file && JSON.parse(await file.text());
}
