import type { Files } from '../../input/formats/files.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { setFitNotes } from './merged-form.ts';
import type { ModelConfig } from './model-config.ts';
import { type Notes, otherWeights, readNotes } from './notes.ts';
import { askedBy, openedTask } from './opened-task.ts';
import type { DescribedModel } from './read-model.ts';
import type { TunedModel } from './trained-parts.ts';
import { type KnownAdapter, tuneModel } from './tune-model.ts';

/** A trained model on a machine: a folder in Node, or the files of a page. */
interface ModelSource<Weights extends { model: LoadedModel }> {
  /** The files of the adapter, or of the model itself. */
  files: Files;
  /** Undefined for a whole model. */
  adapter: KnownAdapter | undefined;
  /** The name of the model in messages. */
  where: string;
  /**
   * Reads everything except the weights: of the base model that the adapter names, or of the model itself.
   *
   * @param changes the fields of config.json that an adapter changes
   */
  readBase(notes: Notes | undefined, changes: ModelConfig | undefined): Promise<DescribedModel>;
  /** Opens the weights. `digests` are those of their files, if `isHashed`. */
  openWeights(
    base: DescribedModel,
    model: TaskModel,
    isHashed: boolean,
  ): Promise<Weights & { digests: readonly string[] }>;
  onNotice(message: string): void;
}

/** How a trained model is opened. */
interface OpenModelOptions {
  /** Whether to open it for text generation, with a suitable head instead of its own. */
  generates?: boolean | undefined;
  /** Whether to open it for text vectors, even if it is a base model without a task. */
  embeds?: boolean | undefined;
}

/**
 * Opens a trained model: an adapter (of any method here, of PEFT or AdapterHub) on its base model, or a whole model.
 * Nothing is computed yet.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function openTunedModel<Weights extends { model: LoadedModel }>(
  { files, adapter, where, readBase, openWeights, onNotice }: ModelSource<Weights>,
  options: OpenModelOptions,
): Promise<TunedModel & Weights> {
  const known = await readNotes(files);
  // A whole model has the changed fields in its own config.json.
  const base = await readBase(known, adapter && known?.model_config);
  // A model without notes may be SetFit's.
  const isOwn = adapter || known || options.embeds || options.generates;
  const noted = isOwn ? known : await setFitNotes(files, base.settings);
  const trained = { ...base, stored: adapter?.stored, notes: noted };
  const { notes, model: described } = openedTask(trained, askedBy(options), where);
  const trainedOn = adapter && known?.base_digest;
  const weights = await openWeights(base, described, trainedOn !== undefined);
  const { model, digests } = weights;
  try {
    if (trainedOn !== undefined) {
      const notice = otherWeights(trainedOn, digests, { folder: where, baseFolder: base.files.name });
      if (notice) onNotice(notice);
    }
    return { ...weights, base, notes, ...tuneModel(model, adapter, where) };
  } catch (error) {
    model.close();
    throw error;
  }
}
