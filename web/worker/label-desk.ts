import {
  type LabelAction,
  LabelSession,
  type LabelState,
  type OfferedRow,
} from '../../src/studies/jobs/label-session.ts';
import { type GivenLabel, MAX_LABELS } from '../../src/studies/jobs/labeling.ts';
import { Sha256 } from '../../src/support/sha256.ts';
import { UserError } from '../../src/support/user-error.ts';
import type { BegunLabels } from './messages.ts';
import { holdLock, openPrivateFiles, readFile, writeFile } from './run-store.ts';

/** The texts of a file. */
interface FileRows {
  fileName: string;
  rows: OfferedRow[];
}

interface Answers {
  labels: string[];
  answers: readonly GivenLabel[];
}

const [FOLDER, ROWS, ANSWERS] = ['labels', 'rows.json', 'answers.json'];

/** Labels the texts of one file at a time. Every answer is stored in the browser's private files before the next row is asked. */
export class LabelDesk {
  #session: LabelSession | undefined;
  #labels: string[] = [];
  #folder: FileSystemDirectoryHandle | undefined;
  #release = () => {};

  /**
   * Begins to label a file, or continues with its stored answers.
   *
   * @throws UserError for fewer than two labels or too many, or if another tab labels the file
   */
  async begin(
    { fileName, rows }: FileRows,
    given: readonly string[],
    embed: (texts: string[]) => Promise<Float32Array[]>,
  ): Promise<BegunLabels> {
    if (rows.length === 0) throw new UserError({ where: fileName, fault: 'has no texts in this column' });
    this.#release();
    this.#session = undefined;
    const id = new Sha256().update(JSON.stringify([fileName, rows])).digest('hex');
    const root = await labelFolder();
    if (root) this.#release = await hold(id, fileName);
    try {
      this.#folder = await root?.getDirectoryHandle(id, { create: true });
      const kept = this.#folder && (await readJson<Answers>(this.#folder, ANSWERS));
      this.#labels = [...new Set([...(kept?.labels ?? []), ...given])];
      if (this.#labels.length < 2 || this.#labels.length > MAX_LABELS)
        throw new UserError(`Name 2 to ${MAX_LABELS} labels, separated by commas: bug, question, praise`);
      const vectors = await embed(rows.map(({ text }) => text));
      if (this.#folder) await writeFile(this.#folder, ROWS, JSON.stringify({ fileName, rows }));
      this.#session = new LabelSession(rows, vectors, this.#labels, kept?.answers ?? []);
      return { fileName, rows, isKept: root !== undefined, state: await this.#session.begin() };
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async act(action: LabelAction): Promise<LabelState> {
    const state = await this.#session!.act(action);
    const stored: Answers = { labels: this.#labels, answers: state.answers };
    if (this.#folder) await writeFile(this.#folder, ANSWERS, JSON.stringify(stored));
    return state;
  }

  table(form: 'csv' | 'jsonl'): string {
    return this.#session!.table(form);
  }

  /** The stored file that was labeled last, with its number of answers. */
  async kept(): Promise<(FileRows & { answers: number }) | undefined> {
    let newest: { folder: FileSystemDirectoryHandle; answers: File } | undefined;
    for await (const folder of (await labelFolder())?.values() ?? []) {
      const answers = folder.kind === 'directory' && (await readFile(folder, ANSWERS));
      if (answers && (!newest || answers.lastModified > newest.answers.lastModified))
        newest = { folder: folder as FileSystemDirectoryHandle, answers };
    }
    const file = newest && (await readJson<FileRows>(newest.folder, ROWS));
    const { answers }: Answers = newest ? JSON.parse(await newest.answers.text()) : { answers: [] };
    return file && answers.length > 0 ? { ...file, answers: answers.length } : undefined;
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

async function readJson<T>(folder: FileSystemDirectoryHandle, name: string): Promise<T | undefined> {
  const file = await readFile(folder, name);
  return file && JSON.parse(await file.text());
}
