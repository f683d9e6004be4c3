import { openFetchedCheckpoint } from '../formats/fetched-checkpoint.ts';
import type { FileSet } from '../formats/file-set.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { Engine } from '../program/engine.ts';
import type { LoadedModel } from '../program/model-weights.ts';
import { webEngine } from '../program/web-engine.ts';
import { bindModel, newModel, storedNames } from '../trained/bind-model.ts';
import { betweenTurns } from './between-turns.ts';
import type { RunsOn } from './page-options.ts';

/** A model with weights in memory, and the engine that runs it. */
export interface PageModel {
  model: LoadedModel;
  engine: Engine;
}

/**
 * Loads the tensors of a checkpoint that a model needs.
 *
 * @param onProgress called from time to time with the loaded share
 * @throws UserError for a checkpoint that is missing or damaged, or does not fit the model
 */
export async function loadWeights(
  model: TaskModel,
  files: FileSet,
  device: RunsOn,
  onProgress?: (share: number) => void,
): Promise<PageModel> {
  const checkpoint = await openFetchedCheckpoint(files);
  await checkpoint.load(storedNames(model, checkpoint, files.name).values(), onProgress);
  const bound = bindModel(model, checkpoint, files.name, () => '');
  return runnable(bound, device, (file) => checkpoint.bytesOf(file));
}

/** Like {@link loadWeights}, but with new weights. */
export function newWeights(model: TaskModel, device: RunsOn): PageModel {
  return runnable(newModel(model, ''), device, () => new Uint8Array());
}

function runnable(model: LoadedModel, device: RunsOn, weights: (file: string) => Uint8Array): PageModel {
  return { model, engine: betweenTurns(webEngine(model, { ...device, weights })) };
}
