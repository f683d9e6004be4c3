import { readEvent, type TrainEvent } from '../../src/training/run/events.ts';
import type { PageRun } from './page-run.ts';

/** The stored state of a run that a tab started. */
export interface KeptRun {
  run: PageRun;
  /** Events up to the checkpoint. If the tab closed while it stored them, there may be a few later ones. */
  events: TrainEvent[];
  /** Missing if the tab closed before the first checkpoint. */
  checkpoint?: Blob;
  /** The files of a cross-validation, by name. */
  folds: ReadonlyMap<string, Blob>;
}

const [FOLDER, FOLDS] = ['run', 'folds'];
const [RUN, CONTENT, EVENTS] = ['run.json', 'content.bin', 'events.jsonl'];
const CHECKPOINT = 'checkpoint.safetensors';
/** Time in which a closed or reloaded tab releases its lock, even on a busy machine. */
const PATIENCE_MS = 10_000;

/**
 * Stores one run in the browser's private files of this origin. A new file is written under another name and replaces
 * the old file when it is complete.
 */
export class RunStore {
  readonly #root: FileSystemDirectoryHandle;

  private constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  /**
   * Opens the store. Returns undefined if the browser has no such files, or another tab has opened them. This tab keeps
   * them until it closes.
   */
  static async open(): Promise<RunStore | undefined> {
    const root = await openPrivateFiles();
    return root && (await holdLock('adalora-run')) ? new RunStore(root) : undefined;
  }

  /** Returns undefined if nothing is stored. */
  async read(): Promise<KeptRun | undefined> {
    const folder = await this.#root.getDirectoryHandle(FOLDER).catch(() => undefined);
    const run = folder && (await readFile(folder, RUN));
    if (!run) return undefined;
    const checkpoint = await readFile(folder, CHECKPOINT);
    const lines = ((await (await readFile(folder, EVENTS))?.text()) ?? '').split('\n');
    const events = lines.filter(Boolean).flatMap((line) => readEvent(JSON.parse(line)) ?? []);
    const content = await readFile(folder, CONTENT);
    const folds = new Map<string, Blob>();
    for await (const [name, handle] of await folder.getDirectoryHandle(FOLDS, { create: true }))
      if (handle.kind === 'file') folds.set(name, await (handle as FileSystemFileHandle).getFile());
    const stored = JSON.parse(await run.text(), (_, value) =>
      Array.isArray(value?.range) ? content!.slice(...value.range) : value,
    );
    return { run: stored, events: checkpoint ? events : [], checkpoint, folds };
  }

  /** Stores a new run instead of the current one. Pictures and the files of a model are parts of one file. */
  async begin(run: PageRun): Promise<void> {
    await this.discard();
    const folder = await this.#root.getDirectoryHandle(FOLDER, { create: true });
    const blobs: Blob[] = [];
    let size = 0;
    const text = JSON.stringify(run, (_, value) => {
      if (!(value instanceof Blob)) return value;
      blobs.push(value);
      size += value.size;
      return { range: [size - value.size, size] };
    });
    await writeFile(folder, CONTENT, new Blob(blobs));
    await writeFile(folder, RUN, text);
  }

  /** Replaces the checkpoint and its events. */
  async save(checkpoint: Blob, events: readonly TrainEvent[]): Promise<void> {
    const folder = await this.#root.getDirectoryHandle(FOLDER);
    await writeFile(folder, EVENTS, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    await writeFile(folder, CHECKPOINT, checkpoint);
  }

  /** Stores a file of a cross-validation. */
  async saveFolds(file: File): Promise<void> {
    const folder = await this.#root.getDirectoryHandle(FOLDER);
    await writeFile(await folder.getDirectoryHandle(FOLDS, { create: true }), file.name, file);
  }

  async discard(): Promise<void> {
    await this.#root.removeEntry(FOLDER, { recursive: true }).catch(() => {});
  }
}

/** The browser's private files of this origin. Undefined if the browser has none that can be written. */
export async function openPrivateFiles(): Promise<FileSystemDirectoryHandle | undefined> {
  if (!('createWritable' in (globalThis.FileSystemFileHandle?.prototype ?? {}))) return undefined;
  return navigator.storage.getDirectory();
}

/**
 * Locks a name for this tab.
 *
 * @returns a function that releases it, or undefined if another tab holds it
 */
export function holdLock(name: string): Promise<(() => void) | undefined> {
  return new Promise((answer) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const held = () => new Promise<void>((release) => answer(release));
    navigator.locks.request(name, { signal }, held).catch(() => answer(undefined));
  });
}

export async function readFile(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  const handle = await folder.getFileHandle(name).catch(() => undefined);
  return handle?.getFile();
}

export async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  content: Blob | string,
): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(content);
  await writable.close();
}
