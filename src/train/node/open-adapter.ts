import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { readAdapter } from '../../formats/peft/node/adapter-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { type ImportedAdapter, importAdapter } from '../../tuners/peft/import-adapter.ts';
import { type AdapterNotes, notesOfModel, readAdapterNotes } from './adapter-notes.ts';
import { type LoadedModel, loadModel } from './load-model.ts';

/** An adapter on its base model. */
export interface OpenedAdapter extends ImportedAdapter {
  model: LoadedModel;
  /** The base model's folder. */
  baseFolder: string;
  notes: AdapterNotes;
}

/** Opens an adapter's folder and its base model: `base`, or the one it names. */
export async function openAdapter(folder: string, base: string | undefined): Promise<OpenedAdapter> {
  const adapter = readAdapter(folder);
  const name = base ?? adapter.config.base_model_name_or_path;
  if (!name) {
    throw new UserError({
      where: folder,
      expected: 'the name of the base model',
      got: 'none',
      hint: 'Give --model.',
    });
  }
  const baseFolder = await resolveModel(name);
  const head = adapter.tensors.get('base_model.model.classifier.weight') ?? undefined;
  const notes = readAdapterNotes(folder) ?? notesOfModel(baseFolder, head?.shape[0]);
  const model = loadModel(baseFolder, notes.task, notes.task === 'regression' ? 1 : notes.labels.length);
  return { model, baseFolder, notes, ...importAdapter(model, adapter, folder) };
}
