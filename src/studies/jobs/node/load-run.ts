import { withBaseDtype } from '../../../program/bases/node/with-base-dtype.ts';
import type { OnWritten } from '../../../program/bases/node/write-base.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { ALONE_PROCESSES, type Processes } from '../../../program/parallel/communicator.ts';
import { oncePerHost, together } from '../../../program/parallel/together.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import type { ProgressEvent } from '../../../training/run/events.ts';
import { newModel } from '../../../use/trained/bind-model.ts';
import { openWeights } from '../../../use/trained/node/load-model.ts';
import { everySecond } from '../every-second.ts';
import { type SetUpRun, setUpRun } from '../set-up-run.ts';
import type { RunOfFiles } from './read-run.ts';

/**
 * Opens the model, makes its base if the config requests another type, tokenizes the data, and sets up the
 * method.
 *
 * @param startedAt the time that chat templates use
 * @param planned the original config, if the run has been extended
 * @param processes the processes that share the run; on each host, one process makes the base
 * @throws UserError for a checkpoint that does not fit the model, unusable rows, or an adapter of another
 * model
 */
export async function loadRun(
  run: RunOfFiles,
  startedAt: Date,
  onProgress: (what: ProgressEvent['what'], share: number) => void,
  { communicator, threads, sharesHost }: Processes = ALONE_PROCESSES,
  planned?: RunConfig,
): Promise<SetUpRun> {
  const tell = (what: ProgressEvent['what']) => everySecond((share) => onProgress(what, share));
  const model = await oncePerHost(communicator, () => openBase(run, tell('base')));
  const engine = nodeEngine(model, run.config.device, { threads: run.config.threads ?? threads, sharesHost });
  return together(communicator, () =>
    setUpRun(run, model, engine, { startedAt, onProgress: tell('text'), planned, communicator }),
  );
}

/** Opens the model that a run starts from, with its base in the config's type. Makes the base unless it is cached. */
export async function openBase(
  { config, folder, model: build }: RunOfFiles,
  onWritten: OnWritten,
): Promise<LoadedModel> {
  if (config.model_init === 'random') return newModel(build(), folder);
  return withBaseDtype(openWeights(folder, build()), config.base_dtype, { onWritten });
}
