import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { readAdapter } from '../../formats/peft/node/adapter-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { spanModel } from '../../objectives/span-model.ts';
import { tokenModel } from '../../objectives/token-model.ts';
import type { PeftAdapter } from '../../tuners/low-rank/export-adapter.ts';
import { headOutputs } from '../../tuners/stored/head-outputs.ts';
import { type ImportedAdapter, importAdapter } from '../../tuners/low-rank/import-adapter.ts';
import type { Tuner } from '../../tuners/tuner.ts';
import { runTask } from '../../tasks/registry.ts';
import type { BuildTask } from '../../tasks/task-definition.ts';
import {
  type AdapterNotes,
  languageTaskOf,
  notesOfLanguageModel,
  notesOfModel,
  readAdapterNotes,
} from './adapter-notes.ts';
import { describeAs, describeModel, type LoadedModel, openModel, readFamily } from './load-model.ts';

/** An adapter on its base model. */
export interface AdapterOnBase extends ImportedAdapter {
  model: LoadedModel;
  /** The base model's folder. */
  baseFolder: string;
}

/** An adapter of a task on its base model. */
export interface OpenedAdapter extends AdapterOnBase {
  notes: AdapterNotes;
}

/** Opens an adapter's folder and its base model: `base`, or the one it names. */
export async function openAdapter(folder: string, base: string | undefined): Promise<OpenedAdapter> {
  const { adapter, baseFolder } = await readWithBase(folder, base);
  const notes = readAdapterNotes(folder) ?? notesOf(adapter, baseFolder);
  const build = runTask(notes.task).build(notes.labels);
  return { notes, ...putOnBase(adapter, folder, baseFolder, build) };
}

/**
 * The same for whatever PEFT trains, tasks that are none here as well: then the head alone is known, and `notes` are
 * missing.
 */
export async function openAnyAdapter(
  folder: string,
  base: string | undefined,
): Promise<AdapterOnBase & { notes?: AdapterNotes }> {
  const { adapter, baseFolder } = await readWithBase(folder, base);
  const kind = adapter.config.task_type;
  if (kind === 'QUESTION_ANS') return putOnBase(adapter, folder, baseFolder, spanModel);
  if (kind === 'SEQ_2_SEQ_LM') return putOnBase(adapter, folder, baseFolder, tokenModel(kind));
  if (kind !== 'TOKEN_CLS') return openAdapter(folder, base);
  const outputs = headOutputs(describeAs(baseFolder, tokenModel(kind)), adapter.tensors);
  return putOnBase(adapter, folder, baseFolder, (definition, config) =>
    tokenModel(kind)(definition, { ...config, numLabels: outputs ?? config.numLabels }),
  );
}

async function readWithBase(folder: string, base: string | undefined) {
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
  return { adapter, baseFolder: await resolveModel(name) };
}

function putOnBase(
  adapter: PeftAdapter,
  folder: string,
  baseFolder: string,
  build: BuildTask,
): AdapterOnBase {
  const model = openModel(baseFolder, build);
  try {
    const imported = importAdapter(model, adapter, folder);
    checkHead(model, imported, folder);
    return { model, baseFolder, ...imported };
  } catch (error) {
    model.close();
    throw error;
  }
}

/**
 * What an adapter without notes was trained for: as its `task_type` says. PEFT has none for masked language models; then
 * it is one of those where the base is, and the adapter brings no head for classes.
 */
function notesOf({ config, tensors }: PeftAdapter, baseFolder: string): AdapterNotes {
  if (config.task_type === 'CAUSAL_LM') return notesOfLanguageModel('causal_lm');
  const languageTask = config.task_type ? undefined : languageTaskOf(baseFolder);
  const { heads } = readFamily(baseFolder).definition;
  const outputs =
    heads.SEQ_CLS && headOutputs(describeModel(baseFolder, 'single_label_classification'), tensors);
  if (outputs === undefined && languageTask) return notesOfLanguageModel(languageTask);
  return notesOfModel(baseFolder, outputs);
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
