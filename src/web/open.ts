import { filesFrom, type PageFile } from '../formats/file-set.ts';
import type { Device } from '../runtime/session.ts';
import { UserError } from '../support/user-error.ts';
import { configForTexts } from '../trained/config-for-texts.ts';
import { fittingBase } from '../trained/fitting-base.ts';
import { askedBy, openedTask } from '../trained/opened-task.ts';
import { TrainedModel } from '../trained/trained-model.ts';
import { knownAdapter, tuneModel } from '../trained/tune-model.ts';
import { readAdapterSet, readNotesIn } from './adapter-set.ts';
import { loadWeights } from './load-weights.ts';
import { modelFiles, type PageOptions, runsOn } from './page-options.ts';
import { type DescribedModel, readModel } from './read-model.ts';
import type { TrainResult } from './train.ts';

export interface OpenOptions extends PageOptions {
  device?: Exclude<Device, 'cpu'>;
  /** The model's name in messages. */
  name?: string;
  batchSize?: number;
  /** Number of tokens after which a text is truncated, if other than in the run. */
  maxLength?: number;
  /** Whether to open it for text generation, with a suitable head instead of its own. */
  generates?: boolean;
  /** Whether to open it for text vectors, even if it is a base model without a task. */
  embeds?: boolean;
  /**
   * Whether a prompt that begins like the previous one is read only from the first difference on, as for the turns of a
   * conversation.
   */
  continues?: boolean;
  /** Called from time to time with the loaded share of the model's weights. */
  onProgress?: (share: number) => void;
}

/** The result of a run, or the files of an adapter or of a whole model. */
export type Trained = TrainResult | ReadonlyMap<string, PageFile>;

/**
 * Opens a model to predict, evaluate or generate: a newly trained adapter, the files of an adapter (of any method here,
 * or of PEFT), or those of a whole model. Close it after use.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function open(trained: Trained, options: OpenOptions = {}): Promise<TrainedModel> {
  return (await openTrained(trained, options)).model;
}

/** Like {@link open}, but also returns the description of the base model. */
export async function openTrained(
  trained: Trained,
  options: OpenOptions,
): Promise<{ model: TrainedModel; base: DescribedModel }> {
  const { name: path = 'adapter', device = 'wasm', batchSize, continues } = options;
  const files = filesFrom(trained instanceof Map ? trained : filesOf(trained as TrainResult), path);
  const stored = await readAdapterSet(files);
  const adapter = stored && knownAdapter(stored, path);
  const notes = await readNotesIn(files);
  fittingBase(notes, 'float32', path);
  const base = adapter
    ? await readModel(modelFiles(nameOfBase(adapter.stored, path), options), notes?.model_config)
    : await readModel(files);
  const task = openedTask({ ...base, stored, notes }, askedBy(options), path);
  const described = task.build(base.family.definition, base.family.config);
  const loaded = await loadWeights(described, base.files, runsOn(device, options), options.onProgress);
  try {
    const tuned = tuneModel(loaded.model, adapter, path);
    const config = configForTexts(loaded.model.config, tuned.tuner.virtualTokens?.count);
    const model = new TrainedModel({
      ...{ path, batchSize, continues, notes: task.notes },
      ...loaded,
      ...tuned,
      text: base.text(config, options.maxLength ?? task.notes?.data.max_length),
      generationFiles: base.generationFiles,
    });
    return { model, base };
  } catch (error) {
    loaded.model.close();
    throw error;
  }
}

/** The name of the model for which an adapter was made. If the adapter does not name it, a placeholder for messages. */
function nameOfBase({ baseModel }: { baseModel: string | null }, path: string): string {
  return baseModel ?? `the base model of ${path}`;
}

function filesOf({ adapter, model, reason }: TrainResult): ReadonlyMap<string, PageFile> {
  const files = adapter ?? model;
  if (files) return files;
  throw new UserError({
    where: 'open',
    fault: `needs a run with an adapter; this one ended with reason ${reason}`,
  });
}
