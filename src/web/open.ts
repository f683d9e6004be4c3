import { filesFrom, type PageFile } from '../formats/file-set.ts';
import type { Device } from '../runtime/session.ts';
import { UserError } from '../support/user-error.ts';
import { askedBy, purposeOf } from '../trained/purpose.ts';
import { TrainedModel } from '../trained/trained-model.ts';
import { knownAdapter, tuneModel } from '../trained/tune-model.ts';
import { readAdapterSet, readNotesIn } from './adapter-set.ts';
import { loadWeights } from './load-weights.ts';
import { modelFiles, type PageOptions, runsOn } from './page-options.ts';
import { type DescribedModel, readModel } from './read-model.ts';
import type { TrainResult } from './train.ts';

export interface OpenOptions extends PageOptions {
  device?: Exclude<Device, 'cpu'>;
  /** What messages call it. */
  name?: string;
  batchSize?: number;
  /** Tokens after which a text is cut, where that is not as in the run. */
  maxLength?: number;
  /** Whether it is to write text: it is opened with a head for that, whatever it was trained for. */
  generates?: boolean;
  /** Whether it is to make vectors of texts: a base model without a task is opened for that. */
  embeds?: boolean;
  /** Whether a prompt that begins as what was read before is read from there on, as the turns of a conversation do. */
  continues?: boolean;
  /** Told now and then which share of the model's weights is read. */
  onProgress?: (share: number) => void;
}

/** What a run has made, or the files of an adapter or of a whole model. */
export type Trained = TrainResult | ReadonlyMap<string, PageFile>;

/**
 * Opens an adapter that was just trained, the files of one (of any method here, or of PEFT), or those of a whole model: to
 * predict, evaluate or generate. Close it after use.
 *
 * @throws UserError for anything missing, damaged or not fitting together
 */
export async function open(trained: Trained, options: OpenOptions = {}): Promise<TrainedModel> {
  return (await openTrained(trained, options)).model;
}

/** The same, with what is read of the base model. */
export async function openTrained(
  trained: Trained,
  options: OpenOptions,
): Promise<{ model: TrainedModel; base: DescribedModel }> {
  const { name: path = 'adapter', device = 'wasm', batchSize, continues } = options;
  const files = filesFrom(trained instanceof Map ? trained : filesOf(trained as TrainResult), path);
  const stored = await readAdapterSet(files);
  const adapter = stored && knownAdapter(stored, path);
  const notes = await readNotesIn(files);
  const base = adapter
    ? await readModel(modelFiles(nameOfBase(adapter.stored, path), options), notes?.model_config)
    : await readModel(files);
  const purpose = purposeOf({ ...base, stored, notes }, askedBy(options), path);
  const described = purpose.build(base.family.definition, base.family.config);
  const loaded = await loadWeights(described, base.files, runsOn(device, options), options.onProgress);
  try {
    const model = new TrainedModel({
      ...{ path, batchSize, continues, notes: purpose.notes },
      ...loaded,
      ...tuneModel(loaded.model, adapter, path),
      text: base.text(options.maxLength ?? purpose.notes?.data.max_length),
      generationFiles: base.generationFiles,
    });
    return { model, base };
  } catch (error) {
    loaded.model.close();
    throw error;
  }
}

/** The name of the model that an adapter was made for, or what messages call it where the adapter does not say. */
function nameOfBase({ baseModel }: { baseModel: string | null }, path: string): string {
  return baseModel ?? `the base model of ${path}`;
}

function filesOf({ adapter, model, reason }: TrainResult): ReadonlyMap<string, PageFile> {
  const files = adapter ?? model;
  if (files) return files;
  const got = `one that ended with reason ${reason}`;
  throw new UserError({ where: 'open', expected: 'a run with an adapter', got });
}
