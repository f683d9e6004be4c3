import type { ProgressEvent } from '../../run/events.ts';
import { createMethod, type Method } from '../../tuners/method.ts';
import type { TrainerInputs } from '../../train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../../train/trainer-settings.ts';
import { withBaseDtype } from '../../bases/node/with-base-dtype.ts';
import type { OnWritten } from '../../bases/node/write-base.ts';
import { type LoadedModel, newModel, openModel } from '../../trained/node/load-model.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { checkHead } from '../../trained/node/open-adapter.ts';
import type { RunBeginning } from './read-run.ts';

/** All that a run trains with. */
export interface LoadedRun {
  model: LoadedModel;
  method: Method;
  settings: TrainerSettings;
  inputs: TrainerInputs;
}

/**
 * Opens the model, makes its base where that is to be another, tokenizes everything and sets the method up.
 *
 * @param began what time chat templates are told
 * @throws UserError for a checkpoint that does not fit the model, rows that cannot be learnt from, an adapter of
 * another model
 */
export async function loadRun(
  run: RunBeginning,
  began: Date,
  onProgress: (what: ProgressEvent['what'], share: number) => void,
): Promise<LoadedRun> {
  const { config, start } = run;
  const tell = (what: ProgressEvent['what']) => everySecond((share) => onProgress(what, share));
  const model = await openBase(run, tell('base'));
  const { train, validation } = run.encode(began, tell('text'));
  const settings = trainerSettings(config, train.lengths.length);
  const method = createMethod(config, model, settings.totalSteps, start);
  if (start) checkHead(model, method.run, `adapter: ${config.adapter}`);
  const values = method.start ?? method.run.tuner.initialValues(config.seed, model.reader(config.seed));
  const engine = nodeEngine(model, config.device);
  return {
    model,
    method,
    settings,
    inputs: { engine, model, method: method.run, values, train, validation },
  };
}

/** The model that a run starts from, its base kept as the config says; that is made where it has not been. */
export async function openBase(
  { config, folder, build }: RunBeginning,
  onWritten: OnWritten,
): Promise<LoadedModel> {
  if (config.model_init === 'random') return newModel(folder, build);
  return withBaseDtype(openModel(folder, build), config.base_dtype, { onWritten });
}

/** Passes on what comes a second after the last, and nothing of what is done within one. */
function everySecond(report: (share: number) => void): (share: number) => void {
  let last = performance.now();
  return (share) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    report(share);
  };
}
