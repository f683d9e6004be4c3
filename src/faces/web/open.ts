import type { ByteStream } from '../../engine/onnx/schema.ts';
import { readStoredAdapter } from '../../input/formats/adapters/read-stored-adapter.ts';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { asFiles, type Folder } from '../../input/formats/files.ts';
import { sumAdapters } from '../../methods/tuners/sum-adapters.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import { ANYTHING, assertOptions, type OptionTypes, TEXT } from '../../support/options.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { fittingBase } from '../../use/trained/fitting-base.ts';
import { COMMON_OPEN_OPTIONS, type CommonOpenOptions } from '../../use/trained/model-options.ts';
import { readNotes } from '../../use/trained/notes.ts';
import { EXPORT_OPTIONS, type ExportOnnxOptions, onnxFolder } from '../../use/trained/onnx-folder.ts';
import { openTunedModel } from '../../use/trained/open-model.ts';
import { type DescribedModel, describeModel, readModel } from '../../use/trained/read-model.ts';
import { TrainedModel } from '../../use/trained/trained-model.ts';
import { trainedParts } from '../../use/trained/trained-parts.ts';
import { knownAdapter } from '../../use/trained/tune-model.ts';
import { DECODERS } from './decoders.ts';
import { loadWeights } from './load-weights.ts';
import {
  assertInPage,
  MAX_ADAPTER_BYTES,
  modelFiles,
  PAGE_OPTIONS,
  type PageOptions,
  type RunsOn,
  runsOn,
} from './page-options.ts';
import type { TrainResult } from './train.ts';

/** Options of {@link open}: those of Node, and the files of the page. */
export interface OpenOptions extends PageOptions, CommonOpenOptions<Folder, RunsOn['device']> {
  /** The model's name in messages. */
  name?: string | undefined;
}

export const OPEN_OPTIONS: OptionTypes<OpenOptions> = {
  ...COMMON_OPEN_OPTIONS,
  ...PAGE_OPTIONS,
  name: TEXT,
};

/** The result of a run, or the folder of an adapter or of a whole model: its files, or its URL. */
export type Trained = TrainResult | Folder;

/**
 * Opens a model to predict, evaluate or generate: a newly trained adapter, the files of an adapter (of any method here,
 * of PEFT or AdapterHub), or those of a whole model. Close it after use.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function open(trained: Trained, options: OpenOptions = {}): Promise<TrainedModel> {
  // `openTrained` explains why a page has no `baseDtype`.
  assertOptions('open', options, { ...OPEN_OPTIONS, baseDtype: ANYTHING });
  return (await openTrained(trained, options)).model;
}

/** A model with several adapters on one copy of the base. The first one is used at the beginning. Close it after use. */
export interface AdapterSet {
  model: TrainedModel;
  /**
   * Uses another adapter, or a weighted sum of several. Predictions that have begun should have ended.
   *
   * @param adapter its name, or weights by name; adapters without a weight are not used
   * @throws UserError for an unknown name
   */
  use(adapter: string | Readonly<Record<string, number>>): Promise<void>;
}

/**
 * Opens adapters of one task and one base model, which is loaded once. Sums of LoRA and AdaLoRA are exact. The time of
 * a prediction grows a little with the sum of their ranks.
 *
 * @param adapters by name, like those of {@link open}
 * @throws UserError like {@link open}, and for adapters of different tasks or classes, or of other methods
 */
export async function openSet(
  adapters: Readonly<Record<string, Trained>>,
  options: OpenOptions = {},
): Promise<AdapterSet> {
  assertOptions('openSet', options, { ...OPEN_OPTIONS, baseDtype: ANYTHING });
  const names = Object.keys(adapters);
  const read = await Promise.all(names.map((name) => readMember(adapters[name]!, name)));
  const [first] = read;
  if (!first) throw new UserError({ where: 'openSet', fault: 'needs at least one adapter' });
  const other = read.find(({ task }) => task !== first.task);
  if (other) {
    const fault = `is for another task or other classes than ${first.where}`;
    throw new UserError({ where: other.where, fault, hint: 'Open it separately.', code: 'unsupported' });
  }
  const sum = (weights: Readonly<Record<string, number>>) =>
    sumAdapters(read.map((one) => ({ ...one, weight: weights[one.where] ?? 0 })));
  const begin = sum({ [first.where]: 1 });
  const { model } = await openTrained(adapters[first.where]!, { name: first.where, ...options }, begin);
  return {
    model,
    async use(adapter) {
      const weights = typeof adapter === 'string' ? { [adapter]: 1 } : adapter;
      const unknown = Object.keys(weights).find((name) => !names.includes(name));
      if (unknown !== undefined)
        throw new UserError({
          where: 'use',
          fault: `names no adapter: ${unknown}`,
          hint: suggest(unknown, names),
        });
      const { kind, stored } = knownAdapter(sum(weights), first.where);
      await model.replaceValues(kind.import(model.parts.model, stored, first.where).values);
    },
  };
}

/** An adapter, and what it was trained for as text. */
async function readMember(trained: Trained, where: string) {
  const files = asFiles(findFolder(trained), where);
  const stored = await readStoredAdapter(files, MAX_ADAPTER_BYTES);
  if (!stored) throw new UserError({ where, fault: 'is a whole model, not an adapter' });
  const notes = await readNotes(files);
  return { stored, where, task: JSON.stringify([notes?.task, notes?.labels, notes?.model_config]) };
}

/** Like {@link open}, but also returns the description of the base model. `sum` replaces the stored adapter. */
export async function openTrained(
  trained: Trained,
  options: OpenOptions,
  sum?: StoredAdapter,
): Promise<{ model: TrainedModel; base: DescribedModel }> {
  const { name: path = 'adapter', device = 'wasm', batchSize, continues, onNotice = console.warn } = options;
  // A program in JavaScript may pass the option of Node.
  assertInPage('open', { device, base_dtype: (options as { baseDtype?: BaseDtype }).baseDtype });
  const files = asFiles(findFolder(trained), path);
  const stored = sum ?? (await readStoredAdapter(files, MAX_ADAPTER_BYTES));
  const adapter = stored && knownAdapter(stored, path);
  const opened = await openTunedModel(
    {
      files,
      adapter,
      where: path,
      async readBase(notes, changes) {
        fittingBase(notes, 'float32', path);
        const base = adapter ? modelFiles(nameOfBase(adapter.stored, path), options) : files;
        return readModel(await describeModel(base, changes), DECODERS);
      },
      openWeights: (base, model, isHashed) =>
        loadWeights(model, base.files, runsOn(device, options), options.onProgress, isHashed),
      onNotice,
    },
    options,
  );
  const { model, engine, base } = opened;
  try {
    const parts = trainedParts(opened, options.maxLength, { path, engine, batchSize, continues });
    // A page reports damaged files of the modality at once.
    void parts.modality;
    return { model: new TrainedModel(parts), base };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** The name of the model for which an adapter was made. If the adapter does not name it, a placeholder for messages. */
function nameOfBase({ baseModel }: { baseModel: string | null }, path: string): string {
  return baseModel ?? `the base model of ${path}`;
}

function findFolder(trained: Trained): Folder {
  if (typeof trained !== 'object' || !('reason' in trained)) return trained;
  const { adapter, model, reason } = trained;
  const files = adapter ?? model;
  if (files) return files;
  throw new UserError({
    where: 'open',
    fault: `needs a run with an adapter; this one ended with reason ${reason}`,
  });
}

export type PageExportOptions = ExportOnnxOptions & OpenOptions;

/**
 * Merges the result of a run with its base model and exports it as ONNX files with the small files of the base. Returns the
 * files by their paths in a folder that transformers.js and Optimum load.
 *
 * @throws UserError like {@link open}, and for a missing file of the base
 */
export async function exportOnnx(
  trained: Trained,
  options: PageExportOptions = {},
): Promise<Map<string, Uint8Array>> {
  assertOptions('exportOnnx', options, { ...OPEN_OPTIONS, ...EXPORT_OPTIONS, baseDtype: ANYTHING });
  const { dtypes, maxBytes, ...opening } = options;
  const { model, base } = await openTrained(trained, opening);
  try {
    const made = onnxFolder({ ...model.parts, base }, { dtypes, maxBytes });
    return new Map([...base.small, ...[...made].map(([path, stream]) => [path, joinBytes(stream)] as const)]);
  } finally {
    await model.close();
  }
}

function joinBytes({ byteLength, chunks }: ByteStream): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const chunk of chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
