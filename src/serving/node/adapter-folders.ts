import { existsSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileError } from '../../support/file-error.ts';
import { UserError } from '../../support/user-error.ts';
import { NotThere } from '../service/not-there.ts';
import { UnknownModel } from '../service/unknown-model.ts';
import type { Serving } from '../serving.ts';
import type { BaseFolder } from './base-folder.ts';
import { adapterIn, type FoundAdapter, findAdapters } from './find-adapters.ts';
import { PackedCache } from './packed-cache.ts';
import { servedAdapter } from './served-adapter.ts';

/** What has become of an adapter. */
export type FolderEvent =
  | { type: 'loaded' | 'reloaded' | 'unloaded'; name: string; folder: string }
  | { type: 'refused'; name: string; folder: string; reason: string };

/** Adapters in memory that have no slot. */
const CACHE_BYTES = 2 ** 28;
/** How often folders are looked at: one whose files have not changed in between is complete. */
const LOOK_MS = 1000;
/** Looks at many folders take this share of the time, as long as they are not further apart than that. */
const [LOOK_SHARE, MOST_LOOK_MS] = [0.02, 10_000];
/** What an adapter may be called that is loaded by name. */
const NAME = /^\w[\w.-]{0,127}$/;

/** Keeps what is served as the folders of adapters are: what is new comes in, what has changed is read again, what has gone goes. */
export class AdapterFolders {
  readonly #roots: readonly string[];
  readonly #base: BaseFolder;
  readonly #serving: Serving;
  readonly #onEvent: (event: FolderEvent) => void;
  readonly #cache = new PackedCache(CACHE_BYTES);
  /** What is served, by name. */
  readonly #served = new Map<string, FoundAdapter>();
  /** Names of what is served, by folder. */
  readonly #names = new Map<string, Set<string>>();
  /** States that are not served, by folder: they were refused, or unloaded. */
  readonly #passedOver = new Map<string, string>();
  /** States as they were seen the last time, by folder. */
  #seen = new Map<string, string>();
  /** Ends when all that has been taken in and out so far has ended. */
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    roots: readonly string[],
    base: BaseFolder,
    serving: Serving,
    onEvent: (event: FolderEvent) => void,
  ) {
    this.#roots = roots.map((root) => realpathSync(root));
    this.#base = base;
    this.#serving = serving;
    this.#onEvent = onEvent;
  }

  /** Takes in what lies in the folders now. */
  async readAll(): Promise<void> {
    for (const found of await this.#found()) await this.#inTurn(() => this.#take(found));
  }

  /** Looks again and again, until it is closed. */
  watch(pause = LOOK_MS): void {
    this.#timer = setTimeout(async () => {
      const took = await this.look();
      if (!this.#isClosed) this.watch(Math.min(Math.max(LOOK_MS, took / LOOK_SHARE), MOST_LOOK_MS));
    }, pause);
  }

  /**
   * Looks once: takes in what has not changed since the last look.
   *
   * @returns milliseconds that it took to look, without what was taken in
   */
  async look(): Promise<number> {
    const began = performance.now();
    const all = new Map((await this.#found()).map((found) => [found.folder, found]));
    for (const [name, { folder, run }] of this.#served) {
      // A client may have named one that lies deeper.
      const now = all.get(folder) ?? adapterIn(folder);
      if (now) all.set(folder, { ...now, run });
      else this.#drop(name, folder);
    }
    const took = performance.now() - began;
    const before = this.#seen;
    this.#seen = new Map([...all].map(([folder, { state }]) => [folder, state]));
    for (const [folder, found] of all)
      if (before.get(folder) === found.state) await this.#inTurn(() => this.#take(found));
    return took;
  }

  /**
   * Serves an adapter of these folders under a name.
   *
   * @param path absolute, or from one of the folders
   * @throws NotThere for a path without an adapter; UserError for a name that is not allowed, and for what is no adapter of
   * the base
   */
  load(name: string, path: string): Promise<void> {
    return this.#inTurn(() => this.#load(name, path));
  }

  /** Serves an adapter no longer, until its files change. Throws UnknownModel where none is so called. */
  unload(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const served = this.#served.get(name);
      if (!served) throw new UnknownModel(name, this.#served.keys(), 'lora_name');
      this.#passedOver.set(served.folder, served.state);
      this.#drop(name, served.folder);
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Does something after what came before it: what is there now may be gone, or taken, after any wait. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #load(name: string, path: string): Promise<void> {
    if (!NAME.test(name)) {
      const expected = 'letters, digits, _, - and . (at most 128)';
      throw new UserError({ where: 'lora_name', expected, got: JSON.stringify(name.slice(0, 200)) });
    }
    if (this.#serving.models.has(name)) {
      const hint = 'Unload it first.';
      throw new UserError({
        where: 'lora_name',
        expected: 'a new name',
        got: `${name}, which is served`,
        hint,
      });
    }
    const found = adapterIn(this.#within(path));
    if (!found) {
      throw new NotThere({ where: 'lora_path', expected: 'the folder of an adapter', got: 'none there' });
    }
    await this.#serve(found, name);
  }

  async #found(): Promise<FoundAdapter[]> {
    const all: FoundAdapter[] = [];
    for (const root of this.#roots) all.push(...(await findAdapters(root)));
    return all;
  }

  /** Serves what was found, if that is new, under all names that its folder has. What cannot be served is told once. */
  async #take(found: FoundAdapter): Promise<void> {
    const { folder, state } = found;
    if (this.#isClosed || this.#passedOver.get(folder) === state) return;
    for (const name of [...(this.#names.get(folder) ?? [found.name])]) {
      const served = this.#served.get(name);
      if (served?.folder === folder && served.state === state) continue;
      try {
        if (served && served.folder !== folder) throw isTaken(name, folder, served.folder);
        await this.#serve(found, name);
      } catch (error) {
        // Whatever is wrong with one adapter, the others are served.
        this.#passedOver.set(folder, state);
        const { message } = fileError(error) ?? (error as Error);
        this.#onEvent({ type: 'refused', name, folder, reason: message });
      }
    }
  }

  async #serve(found: FoundAdapter, name: string): Promise<void> {
    const { folder } = found;
    if (name === this.#base.name) throw isTaken(name, folder, 'the base model');
    const isKnown = this.#served.has(name);
    await this.#serving.add(servedAdapter(found, name, this.#base, this.#cache));
    this.#served.set(name, found);
    this.#names.set(folder, new Set([...(this.#names.get(folder) ?? []), name]));
    this.#passedOver.delete(folder);
    this.#onEvent({ type: isKnown ? 'reloaded' : 'loaded', name, folder });
  }

  #drop(name: string, folder: string): void {
    this.#serving.remove(name);
    this.#served.delete(name);
    const names = this.#names.get(folder);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(folder);
    this.#onEvent({ type: 'unloaded', name, folder });
  }

  /** The real path of a folder in one of the roots. */
  #within(path: string): string {
    const candidates = [path, ...this.#roots.map((root) => join(root, path))].filter((one) =>
      existsSync(one),
    );
    const real = candidates.map((one) => realpathSync(one));
    const inside = real.find((one) => this.#roots.some((root) => one === root || one.startsWith(root + sep)));
    if (inside !== undefined) return inside;
    throw new NotThere({
      where: 'lora_path',
      expected: 'a folder inside those that are served',
      got: 'one that is not there, or outside of them',
    });
  }
}

function isTaken(name: string, folder: string, other: string): UserError {
  return new UserError({
    where: folder,
    expected: 'a name of its own',
    got: `${name}, which is that of ${other}`,
    hint: 'Rename the folder.',
  });
}
