import { ADAPTER_CONFIG } from '../../input/formats/adapters/adapter-files.ts';
import { readAdapterIn } from '../../input/formats/adapters/read-stored-adapter.ts';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { pathIn } from '../../input/formats/files.ts';
import { NotMixed } from '../../methods/tuners/bank/bank-form.ts';
import {
  NO_ADAPTER,
  type PackedAdapter,
  packAdapter,
  packedBytes,
} from '../../methods/tuners/bank/packed-adapter.ts';
import { FROZEN, type TunedValues } from '../../methods/tuners/tuner.ts';
import { HEAD_KINDS, headNamed, headOfClass } from '../../models/heads/registry.ts';
import { UserError } from '../../support/user-error.ts';
import type { Family } from '../trained/bind-model.ts';
import { fittingBase } from '../trained/fitting-base.ts';
import { readRunBase } from '../trained/locate-trained.ts';
import { type Notes, readNotes } from '../trained/notes.ts';
import { type OpenedTask, openedTask } from '../trained/opened-task.ts';
import { type DescribedModel, withChanges } from '../trained/read-model.ts';
import type { TrainedModel } from '../trained/trained-model.ts';
import { knownAdapter, tuneModel } from '../trained/tune-model.ts';
import { type FoundAdapter, readState } from './find-adapters.ts';
import type { RowAdapter } from './rows/mixed-rows.ts';
import type { BaseModel } from './served-base.ts';

/** An adapter under its name, or the base model alone. */
export interface ServedModel extends RowAdapter {
  readonly name: string;
  /** The folder of its files. */
  readonly folder: string;
  /** When serving started, in seconds since 1970. */
  readonly created: number;
  /** The base model's name. Undefined for the base itself. */
  readonly parent?: string;
  /** Its task, labels and modality. It does not compute anything. */
  readonly trained: TrainedModel;
  /**
   * Returns the adapter in the form of a bank's slot.
   *
   * @throws NotMixed for one that needs a session of its own; UserError if its files have changed or disappeared
   */
  load(): Promise<PackedAdapter>;
  /**
   * Returns the adapter as trained, for a model that cannot share a batch.
   *
   * @throws UserError like {@link load}
   */
  tuned(): Promise<TunedValues>;
}

/** The files of an adapter, as plain data. */
export interface AdapterContent {
  stored: StoredAdapter;
  notes: Notes | undefined;
}

/** Maximum size of an adapter's tensors: with its head and embeddings, in float32 over a base in 16 bits. */
const MAX_BYTES = { least: 2 ** 26, ofBase: 4 };

/**
 * Reads an adapter, adalora's or PEFT's, and puts it on its base model, so that later errors are unlikely.
 *
 * @throws UserError for anything missing, damaged or made for another base, and for files that change meanwhile
 */
export async function readContent(
  { folder, run, state }: FoundAdapter,
  base: BaseModel,
): Promise<AdapterContent> {
  const where = pathIn(folder, ADAPTER_CONFIG);
  const { disk } = base.machine;
  const stored = await readAdapterIn(disk, folder, Math.max(MAX_BYTES.least, MAX_BYTES.ofBase * base.bytes));
  checkBase(base, (run && readRunBase(disk.within(run))) ?? stored.baseModel, where);
  const files = disk.within(folder);
  const known = await readNotes(files);
  if (readState(files) !== state) throw isChanging(folder);
  if (known?.base_digest !== undefined) checkWeights(base, known.base_digest, where);
  fittingBase(known, base.baseDtype, where);
  const described = withChanges(base.described, known?.model_config);
  const model = base.model(openedTask({ ...described, stored, notes: known }, undefined, folder).model);
  try {
    packAdapter(model, tuneModel(model, knownAdapter(stored, where), folder), folder);
  } catch (error) {
    if (!(error instanceof NotMixed)) throw error;
  }
  return { stored, notes: known };
}

function checkBase(base: BaseModel, named: string | null | undefined, where: string): void {
  if (!named || base.isCalled(named)) return;
  throw new UserError({
    where,
    fault: `is an adapter of ${named}, but ${base.name} is served`,
    hint: 'Serve it with its own base model. A base model in another place is recognized by its folder name.',
  });
}

/** Throws if the adapter was trained on another model with the base's name. Their shapes may be equal. */
function checkWeights({ name, folder, digest }: BaseModel, trainedOn: string, where: string): void {
  if (digest === trainedOn) return;
  throw new UserError({
    where,
    fault: `was trained with another ${name} than the one in ${folder} (fingerprint ${trainedOn.slice(0, 12)}, not ${digest.slice(0, 12)})`,
    hint: 'Serve it with the files it was trained on.',
  });
}

function isChanging(folder: string): UserError {
  return new UserError({
    where: folder,
    fault: 'is being written',
    hint: 'Try again in a moment.',
    code: 'in_use',
  });
}

/**
 * An adapter of a base model, adalora's or PEFT's.
 *
 * @param name the name under which it is served
 * @param read reads its content, now and again when its values have left the cache
 * @throws UserError for anything missing, damaged or made for another base, and for files that change meanwhile
 */
export async function servedAdapter(
  found: FoundAdapter,
  name: string,
  base: BaseModel,
  cache: PackedCache,
  read: (isKnown: boolean) => Promise<AdapterContent>,
): Promise<ServedModel> {
  const { folder } = found;
  const content = await read(false);
  const described = withChanges(base.described, content.notes?.model_config);
  const opened = openedTask({ ...described, ...content }, undefined, folder);
  const model = base.model(opened.model);
  const tune = ({ stored }: AdapterContent) =>
    tuneModel(model, knownAdapter(stored, pathIn(folder, ADAPTER_CONFIG)), folder);
  // The first load takes what the check has read.
  let checked: TunedValues | undefined = tune(content);
  const served: ServedModel = {
    name,
    folder,
    parent: base.name,
    created: Math.floor(Date.now() / 1000),
    outputs: model.config.numLabels,
    trained: base.trained(name, { ...opened, model }),
    load: () => cache.get(served, async () => packAdapter(model, await served.tuned(), folder)),
    async tuned() {
      const tuned = checked;
      checked = undefined;
      return tuned ?? tune(await read(true));
    },
  };
  return served;
}

/** Returns the base model under its own name. Undefined if it has no head or its task is unknown. */
export async function serveBase(base: BaseModel): Promise<ServedModel | undefined> {
  const { folder, name, described } = base;
  const generates = decodes(described.family) && !isForClasses(described.json);
  const notes = await readNotes(described.files);
  const opened = taskIfKnown(() =>
    openedTask({ ...described, notes }, generates ? 'generate' : undefined, folder),
  );
  if (!opened) return undefined;
  const model = base.model(opened.model);
  if (model.initialized.length > 0 || !headNamed(model.headKind).served) return undefined;
  return {
    name,
    folder,
    created: Math.floor(Date.now() / 1000),
    outputs: model.config.numLabels,
    trained: base.trained(name, { ...opened, model }),
    load: async () => NO_ADAPTER,
    tuned: async () => FROZEN,
  };
}

/**
 * Returns undefined if the base does not say its task, or if its family has no head for it. Its adapters' notes then say
 * theirs.
 */
function taskIfKnown(find: () => OpenedTask): OpenedTask | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Whether texts of the model can share a decoding loop. */
function decodes({ definition }: Family): boolean {
  return HEAD_KINDS.some((kind) => headNamed(kind).served === 'decoding' && definition.heads[kind]);
}

function isForClasses({ architectures }: DescribedModel['json']): boolean {
  const [architecture] = Array.isArray(architectures) ? architectures : [];
  return headOfClass(String(architecture))?.served === 'rows';
}

/** An adapter that is cached, or is being read. Its size is 0 until it is read. */
interface Cached {
  packed: Promise<PackedAdapter>;
  bytes: number;
}

/** A cache of recently used adapters, ready for a slot. Other adapters are read from their files again. */
export class PackedCache {
  readonly #most: number;
  /** The least recently used first. */
  readonly #packed = new Map<object, Cached>();
  /** Adapters that are no longer served. Requests may still wait for them. */
  readonly #forgotten = new WeakMap<object, Promise<PackedAdapter> | undefined>();
  #bytes = 0;

  /** @param most maximum size in bytes; the last adapter is kept even if it is larger */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param make reads the adapter if it is not cached; requests at the same time share one call */
  get(key: object, make: () => Promise<PackedAdapter>): Promise<PackedAdapter> {
    if (this.#forgotten.has(key)) return this.#forgotten.get(key) ?? make();
    const known = this.#packed.get(key) ?? this.#reading(key, make());
    this.#packed.delete(key);
    this.#packed.set(key, known);
    return known.packed;
  }

  /** Keeps an adapter only while its key is in use, because it was unloaded or replaced. */
  forget(key: object): void {
    this.#forgotten.set(key, this.#packed.get(key)?.packed);
    this.#drop(key);
  }

  #reading(key: object, packed: Promise<PackedAdapter>): Cached {
    const cached = { packed, bytes: 0 };
    packed.then(
      (read) => {
        if (this.#packed.get(key) !== cached) return;
        cached.bytes = packedBytes(read);
        this.#bytes += cached.bytes;
        for (const oldest of this.#packed.keys()) {
          if (this.#bytes <= this.#most || oldest === key) break;
          this.#drop(oldest);
        }
      },
      () => this.#drop(key),
    );
    return cached;
  }

  #drop(key: object): void {
    this.#bytes -= this.#packed.get(key)?.bytes ?? 0;
    this.#packed.delete(key);
  }
}
