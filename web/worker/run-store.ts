import { readEvent, type TrainEvent } from '../../src/run/events.ts';
import type { PageRun } from './page-run.ts';

/** What is left of a run that a tab began. */
export interface KeptRun {
  run: PageRun;
  /** Up to the checkpoint; where the tab closed between the two files, a few that come after it. */
  events: TrainEvent[];
  /** Missing where the tab closed before the first. */
  checkpoint?: Blob;
}

const FOLDER = 'run';
const [RUN, EVENTS, CHECKPOINT] = ['run.json', 'events.jsonl', 'checkpoint.safetensors'];
/** A tab that is being closed or loaded again gives its lock back within that, on a busy machine too. */
const PATIENCE_MS = 10_000;

/**
 * One run in the files that only this origin sees, and only in this browser. A file is written beside the old one and
 * takes its place when it is whole.
 */
export class RunStore {
  readonly #root: FileSystemDirectoryHandle;

  private constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  /** Undefined where the browser has no such files, or another tab holds them. This tab holds them until it closes. */
  static async open(): Promise<RunStore | undefined> {
    if (!('createWritable' in (globalThis.FileSystemFileHandle?.prototype ?? {}))) return undefined;
    const held = await new Promise<boolean>((answer) => {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const forever = () => {
        answer(true);
        return new Promise<never>(() => {});
      };
      navigator.locks.request('adalora-run', { signal }, forever).catch(() => answer(false));
    });
    return held ? new RunStore(await navigator.storage.getDirectory()) : undefined;
  }

  /** Undefined where nothing is kept. */
  async read(): Promise<KeptRun | undefined> {
    const folder = await this.#root.getDirectoryHandle(FOLDER).catch(() => undefined);
    const run = folder && (await readFile(folder, RUN));
    if (!run) return undefined;
    const checkpoint = await readFile(folder, CHECKPOINT);
    const lines = ((await (await readFile(folder, EVENTS))?.text()) ?? '').split('\n');
    const events = lines.filter(Boolean).flatMap((line) => readEvent(JSON.parse(line)) ?? []);
    return { run: JSON.parse(await run.text()), events: checkpoint ? events : [], checkpoint };
  }

  /** Forgets what was kept, and keeps this. */
  async begin(run: PageRun): Promise<void> {
    await this.discard();
    const folder = await this.#root.getDirectoryHandle(FOLDER, { create: true });
    await writeFile(folder, RUN, JSON.stringify(run));
  }

  /** Replaces the checkpoint, and the events before it. */
  async save(checkpoint: Blob, events: readonly TrainEvent[]): Promise<void> {
    const folder = await this.#root.getDirectoryHandle(FOLDER);
    await writeFile(folder, EVENTS, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    await writeFile(folder, CHECKPOINT, checkpoint);
  }

  async discard(): Promise<void> {
    await this.#root.removeEntry(FOLDER, { recursive: true }).catch(() => {});
  }
}

async function readFile(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  const handle = await folder.getFileHandle(name).catch(() => undefined);
  return handle?.getFile();
}

async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  content: Blob | string,
): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(content);
  await writable.close();
}
