import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import type { RunConfig } from '../run-config.ts';
import { loadData, type RunData } from './load-data.ts';
import { describeModel } from './load-model.ts';
import { labelsOf, readStart } from './starting-adapter.ts';

/** What a run and its plan begin with. */
export interface RunBeginning extends ReturnType<typeof readStart> {
  /** The base model's folder. */
  folder: string;
  data: RunData;
  /** Outputs of the head. */
  numLabels: number;
}

/** Reads the adapter to go on from, finds the model, and reads the data and its classes; no weight is read. */
export async function readRun(given: RunConfig): Promise<RunBeginning> {
  const { config, start } = readStart(given);
  const folder = await resolveModel(config.model);
  const base = describeModel(folder, config.task);
  const loaded = loadData(config, base.config.id2label);
  const data = { ...loaded, labels: labelsOf(config, loaded.labels, base, start) };
  const numLabels = config.task === 'regression' ? 1 : data.labels.names.length;
  return { config, start, folder, data, numLabels };
}
