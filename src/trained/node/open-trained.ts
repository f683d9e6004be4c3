import type { TaskName } from '../../data/task-type.ts';
import { FullTuner } from '../../tuners/full/full-tuner.ts';
import type { ImportedAdapter } from '../../tuners/low-rank/import-adapter.ts';
import type { BaseDtype } from '../../bases/base-dtype.ts';
import { runTask } from '../../tasks/registry.ts';
import type { EncodingContext, ReadingOf } from '../../tasks/task-definition.ts';
import {
  type AdapterNotes,
  languageTaskOf,
  notesOfLanguageModel,
  notesOfModel,
  readAdapterNotes,
} from './adapter-notes.ts';
import { withBaseDtype } from '../../bases/node/with-base-dtype.ts';
import { type LoadedModel, openModel } from './load-model.ts';
import { locateTrained } from './locate-trained.ts';
import { openAdapter } from './open-adapter.ts';
import { openText } from './open-text.ts';

/** A trained model of any task, ready to be used. */
export interface TrainedModel extends ImportedAdapter {
  model: LoadedModel;
  /** The folder of the base model, with its tokenizer. */
  baseFolder: string;
  notes: AdapterNotes;
  text: ReturnType<typeof openText>;
}

/**
 * Opens a run's folder, an adapter's (of this program or of PEFT), or that of a fully fine-tuned model.
 *
 * @param options.model the base model, where it lies elsewhere than the adapter says
 * @param options.maxLength replaces the length of the run
 * @param options.baseDtype how the frozen weights below an adapter are kept, whatever the run had
 * @throws UserError for anything missing, damaged or not fitting together
 */
export async function openTrained(
  path: string,
  options: { model?: string; maxLength?: number; baseDtype?: BaseDtype } = {},
): Promise<TrainedModel> {
  const { folder, kind, runModel } = locateTrained(path);
  const opened =
    kind === 'adapter' ? await openAdapter(folder, options.model ?? runModel) : openWhole(folder);
  try {
    const length = options.maxLength ?? opened.notes.data.max_length;
    const text = openText(opened.baseFolder, opened.model.config, length);
    return { ...opened, model: await withBaseDtype(opened.model, options.baseDtype ?? 'float32'), text };
  } catch (error) {
    opened.model.close();
    throw error;
  }
}

function openWhole(folder: string): Omit<TrainedModel, 'text'> {
  const task = languageTaskOf(folder);
  const notes = readAdapterNotes(folder) ?? (task ? notesOfLanguageModel(task) : notesOfModel(folder));
  const model = openModel(folder, runTask(notes.task).build(notes.labels));
  const tuner = new FullTuner(model);
  return { model, baseFolder: folder, notes, tuner, values: tuner.initialValues(0, model.reader(0)) };
}

/** What it takes to make examples for a trained model; `reading` replaces how its run read files. */
export function contextOf<Task extends TaskName>(
  { notes, text }: Pick<TrainedModel, 'notes' | 'text'>,
  reading: Partial<ReadingOf<Task>> = {},
): EncodingContext<Task> {
  const { max_length: _, ...columns } = notes.data;
  return { ...text, reading: { ...columns, ...reading } as ReadingOf<Task>, labels: notes.labels, seed: 0 };
}
