import { join } from 'node:path';
import { type Adapter, adapterTensorFile, readAdapter } from '../../formats/peft/node/adapter-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { continuedConfig } from '../../run/config/continued-config.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { type AdapterNotes, readAdapterNotes } from '../../trained/node/adapter-notes.ts';
import { locateAdapter } from '../../trained/node/locate-trained.ts';

/** The adapter that a run continues. */
export interface StartingAdapter extends Adapter {
  notes?: AdapterNotes;
  /** What its values depend on. */
  files: readonly string[];
}

/**
 * Reads the adapter that a config names, if it names one, and completes the config from it.
 *
 * @throws UserError for an adapter that is missing, damaged, or of another method or task, and for keys of the config
 * that contradict it
 */
export function readStart(given: RunConfig): { config: RunConfig; start?: StartingAdapter } {
  if (given.adapter === undefined) return { config: given };
  const { folder } = locateAdapter(given.adapter);
  const adapter = readAdapter(folder);
  const config = continuedConfig(given, adapter.config);
  const notes = readAdapterNotes(folder);
  if (notes && notes.task !== config.task) {
    const got = config.task;
    throw new UserError({ where: 'task', expected: `${notes.task}, as the adapter has it`, got });
  }
  const files = [join(folder, 'adapter_config.json'), adapterTensorFile(folder)];
  return { config, start: { ...adapter, notes, files } };
}

/** What to tell of a continued adapter. */
export function startNotices({ model, method }: RunConfig, start: StartingAdapter | undefined): string[] {
  if (!start) return [];
  const base = start.config.base_model_name_or_path;
  return [
    ...(method === 'adalora'
      ? ['the adapter goes on with the triplets it has: no rank changes, and the budget keys have no effect']
      : []),
    ...(base && lastName(base) !== lastName(model)
      ? [`the adapter was made for ${base}, this run has ${model}: right only where both are the same model`]
      : []),
  ];
}

function lastName(path: string): string | undefined {
  return path.split(/[\\/]/).filter(Boolean).at(-1);
}
