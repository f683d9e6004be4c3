import { fetchCheckpoint, type OnFetched } from '../../input/formats/fetch-checkpoint.ts';
import type { Files } from '../../input/formats/files.ts';
import { betweenTurns, type Engine } from '../../program/engine.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { webEngine } from '../../program/web-engine.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { bindModel, newModel, readNames } from '../../use/trained/bind-model.ts';
import type { RunsOn } from './page-options.ts';

/** A model with weights in memory, and the engine that runs it. */
export interface PageModel {
  model: LoadedModel;
  engine: Engine;
  /** Digests of the weight files, if requested. */
  digests: readonly string[];
}

/**
 * Loads the tensors of a checkpoint that a model needs.
 *
 * @param onProgress called after each part of a file, with the loaded share of all files
 * @param hashed whether to read the files as a whole, and return their digests
 * @throws UserError for a checkpoint that is missing or damaged, or does not fit the model
 */
export async function loadWeights(
  model: TaskModel,
  files: Files,
  device: RunsOn,
  onProgress?: OnFetched,
  hashed = false,
): Promise<PageModel> {
  const { checkpoint, digests, bytesOf } = await fetchCheckpoint(
    files,
    (headers) => readNames(model, headers, files.name),
    { onProgress, hashed },
  );
  const bound = bindModel(model, checkpoint, files.name, () => '');
  return { ...runnable(bound, device, bytesOf), digests };
}

/** Like {@link loadWeights}, but with new weights. */
export function newWeights(model: TaskModel, device: RunsOn): PageModel {
  return { ...runnable(newModel(model, ''), device, () => new Uint8Array()), digests: [] };
}

function runnable(model: LoadedModel, device: RunsOn, weights: (file: string) => Uint8Array) {
  return { model, engine: betweenTurns(webEngine(model, { ...device, weights })) };
}
