import { Turns } from '../../support/turns.ts';
import { fileError, UserError } from '../../support/user-error.ts';
import type { AdapterPlaces, FoundAdapter } from './find-adapters.ts';
import { type AdapterContent, PackedCache, servedAdapter } from './served-adapter.ts';
import type { BaseModel } from './served-base.ts';
import { NotThere, UnknownModel } from './service/service-errors.ts';
import type { Serving } from './serving.ts';

/** A change to an adapter in a folder. */
export type FolderEvent =
  | { type: 'unloaded'; name: string; folder: string }
  /** `note`: why it cannot share batches with others. */
  | { type: 'loaded' | 'reloaded'; name: string; folder: string; note?: string }
  | { type: 'refused'; name: string; folder: string; reason: string };

/**
 * Reads an adapter.
 *
 * @param isKnown whether it has been read before, and its values have left the cache
 */
export type ReadAdapter = (adapter: FoundAdapter, isKnown: boolean) => Promise<AdapterContent>;

/** Memory for adapters without a slot, in bytes. */
const CACHE_BYTES = 2 ** 28;
/** Interval between scans of the folders. An adapter whose files did not change in that time is complete. */
const LOOK_MS = 1000;
/** Scans of many folders take at most this share of the time. The pause between them has a maximum. */
const [LOOK_SHARE, MAX_LOOK_MS] = [0.02, 10_000];
/** Allowed names for adapters that a client loads by name. */
const NAME = /^\w[\w.-]{0,127}$/;

/** Loads and unloads adapters that are added to or removed from these folders, and reloads changed ones. */
export class AdapterFolders {
  readonly #places: AdapterPlaces;
  readonly #base: BaseModel;
  readonly #serving: Serving;
  readonly #onEvent: (event: FolderEvent) => void;
  readonly #read: ReadAdapter;
  readonly #cache = new PackedCache(CACHE_BYTES);
  /** Served adapters, by name. */
  readonly #served = new Map<string, FoundAdapter>();
  /** Names of served adapters, by folder. */
  readonly #names = new Map<string, Set<string>>();
  /**
   * By folder: the state of its files ({@link FoundAdapter}) when the adapter was rejected or unloaded. It is not loaded
   * again until that changes.
   */
  readonly #passedOver = new Map<string, string>();
  /** States at the last scan, by folder. */
  #seen = new Map<string, string>();
  /** Loads and unloads: each may change anything that the next one needs. */
  readonly #turns = new Turns();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(
    places: AdapterPlaces,
    base: BaseModel,
    serving: Serving,
    onEvent: (event: FolderEvent) => void,
    read: ReadAdapter,
  ) {
    this.#places = places;
    this.#base = base;
    this.#serving = serving;
    this.#onEvent = onEvent;
    this.#read = read;
  }

  /** Loads the adapters that are in the folders now. */
  async readAll(): Promise<void> {
    for (const found of this.#places.find()) await this.#turns.run(() => this.#serveNew(found));
  }

  /** Scans repeatedly until it is closed. */
  watch(pause = LOOK_MS): void {
    this.#timer = setTimeout(async () => {
      const took = await this.look();
      if (!this.#isClosed) this.watch(Math.min(Math.max(LOOK_MS, took / LOOK_SHARE), MAX_LOOK_MS));
    }, pause);
  }

  /**
   * Scans once: loads adapters that have not changed since the last scan.
   *
   * @returns duration of the scan in milliseconds, without loading
   */
  async look(): Promise<number> {
    const startedAt = performance.now();
    const all = new Map(this.#places.find().map((found) => [found.folder, found]));
    for (const [name, { folder, run }] of this.#served) {
      // A client may have loaded an adapter from a deeper folder.
      const now = all.get(folder) ?? this.#places.adapterIn(folder);
      if (now) all.set(folder, { ...now, run });
      else this.#drop(name, folder);
    }
    const took = performance.now() - startedAt;
    const before = this.#seen;
    this.#seen = new Map([...all].map(([folder, { state }]) => [folder, state]));
    for (const [folder, found] of all)
      if (before.get(folder) === found.state) await this.#turns.run(() => this.#serveNew(found));
    return took;
  }

  /**
   * Serves an adapter of these folders under a name.
   *
   * @param path absolute, or relative to one of the folders
   * @throws NotThere for a path without an adapter; UserError for an invalid name, and for an adapter of another base
   */
  load(name: string, path: string): Promise<void> {
    return this.#turns.run(() => this.#load(name, path));
  }

  /**
   * Unloads an adapter. It stays unloaded until its files change.
   *
   * @throws UnknownModel if no adapter has that name
   */
  unload(name: string): Promise<void> {
    return this.#turns.run(async () => {
      const served = this.#served.get(name);
      if (!served) throw new UnknownModel(name, this.#served.keys(), 'lora_name');
      // The files may have changed since they were loaded, and a scan may have seen that.
      const { state } = this.#places.adapterIn(served.folder) ?? served;
      this.#passedOver.set(served.folder, state);
      this.#drop(name, served.folder);
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #load(name: string, path: string): Promise<void> {
    if (!NAME.test(name)) {
      throw new UserError({
        where: 'lora_name',
        fault: `must be at most 128 letters, digits, _, - and ., got ${JSON.stringify(name.slice(0, 200))}`,
      });
    }
    if (this.#serving.models.has(name)) {
      const hint = 'Unload it first.';
      throw new UserError({ key: 'lora_name', fault: `${name} is already loaded`, hint });
    }
    const folder = this.#places.within(path);
    if (folder === undefined) {
      const fault = 'must be an existing folder inside the served folders';
      throw new NotThere({ key: 'lora_path', fault });
    }
    const found = this.#places.adapterIn(folder);
    if (!found) throw new NotThere({ key: 'lora_path', fault: 'has no adapter' });
    await this.#serve(found, name);
  }

  /** Serves a new adapter under all names of its folder. A failure is reported once. */
  async #serveNew(adapter: FoundAdapter): Promise<void> {
    const { folder, state } = adapter;
    if (this.#isClosed || this.#passedOver.get(folder) === state) return;
    for (const name of [...(this.#names.get(folder) ?? [adapter.name])]) {
      const served = this.#served.get(name);
      if (served?.folder === folder && served.state === state) continue;
      try {
        if (served && served.folder !== folder) throw isTaken(name, folder, served.folder);
        await this.#serve(adapter, name);
      } catch (error) {
        // A broken adapter must not affect the others.
        this.#passedOver.set(folder, state);
        const { message } = fileError(error) ?? (error as Error);
        this.#onEvent({ type: 'refused', name, folder, reason: message });
      }
    }
  }

  async #serve(adapter: FoundAdapter, name: string): Promise<void> {
    const { folder } = adapter;
    if (name === this.#base.name) throw isTaken(name, folder, 'the base model');
    const isKnown = this.#served.has(name);
    const replaced = this.#serving.models.get(name);
    const read = (isKnown: boolean) => this.#read(adapter, isKnown);
    const note = await this.#serving.add(await servedAdapter(adapter, name, this.#base, this.#cache, read));
    if (replaced) this.#cache.forget(replaced);
    this.#served.set(name, adapter);
    this.#names.set(folder, new Set([...(this.#names.get(folder) ?? []), name]));
    this.#passedOver.delete(folder);
    this.#onEvent({ type: isKnown ? 'reloaded' : 'loaded', name, folder, note });
  }

  #drop(name: string, folder: string): void {
    const model = this.#serving.models.get(name);
    if (model) this.#cache.forget(model);
    this.#serving.remove(name);
    this.#served.delete(name);
    const names = this.#names.get(folder);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(folder);
    this.#onEvent({ type: 'unloaded', name, folder });
  }
}

function isTaken(name: string, folder: string, other: string): UserError {
  return new UserError({
    where: folder,
    fault: `has the same name as ${other}: ${name}`,
    hint: 'Rename the folder.',
  });
}
