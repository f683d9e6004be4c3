import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { readAdapter } from '../../formats/peft/node/adapter-folder.ts';
import { UserError } from '../../support/user-error.ts';
import type { PeftAdapter } from '../../tuners/peft/export-adapter.ts';
import { headOutputs } from '../../tuners/peft/head-outputs.ts';
import { type ImportedAdapter, importAdapter } from '../../tuners/peft/import-adapter.ts';
import type { Tuner } from '../../tuners/tuner.ts';
import { type AdapterNotes, notesOfModel, readAdapterNotes } from './adapter-notes.ts';
import { describeModel, type LoadedModel, loadModel } from './load-model.ts';

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
  const notes = readAdapterNotes(folder) ?? notesOf(adapter, baseFolder);
  const model = loadModel(baseFolder, notes.task, notes.task === 'regression' ? 1 : notes.labels.length);
  try {
    const imported = importAdapter(model, adapter, folder);
    checkHead(model, imported, folder);
    return { model, baseFolder, notes, ...imported };
  } catch (error) {
    model.close();
    throw error;
  }
}

function notesOf({ tensors }: PeftAdapter, baseFolder: string): AdapterNotes {
  const base = describeModel(baseFolder, 'single_label_classification');
  return notesOfModel(baseFolder, headOutputs(base, tensors));
}

/** Throws a UserError where a parameter is neither the adapter's nor the base model's: it would be random. */
export function checkHead({ initialised }: LoadedModel, { tuner }: { tuner: Tuner }, where: string): void {
  const untrained = initialised.filter((name) => !tuner.layout.find(name));
  if (untrained.length === 0) return;
  throw new UserError({
    where,
    expected: `the trained ${untrained.join(', ')}`,
    got: 'neither here nor in the base model',
  });
}
