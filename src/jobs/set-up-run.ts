import type { LossFunction } from '../objectives/own-loss.ts';
import type { Communicator } from '../parallel/communicator.ts';
import type { Engine } from '../program/engine.ts';
import type { LoadedModel } from '../program/model-weights.ts';
import { methodOf } from '../run/config/method-of.ts';
import type { RunConfig } from '../run/config/run-config.ts';
import type { TrainerInputs } from '../train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../train/trainer-settings.ts';
import { checkHead } from '../trained/check-head.ts';
import { type OwnFunctions, ownLossFunction } from '../tuners/own-function.ts';
import type { RunBeginning } from './begin-run.ts';
import { startMethod } from './start-method.ts';

/** The parts that a run trains with. */
export interface SetUpRun {
  model: LoadedModel;
  settings: TrainerSettings;
  inputs: TrainerInputs;
}

/**
 * Tokenizes the data and sets up the method on the model.
 *
 * @param startedAt the time that chat templates use
 * @param planned the original config, if the run has been extended; the method then uses its number of steps
 * @param communicator the processes that share the run
 * @throws UserError for unusable rows, and for an adapter of another model
 */
export function setUpRun(
  run: RunBeginning,
  model: LoadedModel,
  engine: Engine,
  {
    startedAt,
    onProgress,
    planned = run.config,
    communicator,
  }: {
    startedAt: Date;
    onProgress?: (share: number) => void;
    planned?: RunConfig;
    communicator?: Communicator;
  },
): SetUpRun {
  const { config, start } = run;
  const { train, validation } = run.encode(startedAt, onProgress, communicator);
  const settings: TrainerSettings = {
    ...trainerSettings(config, train.lengths.length),
    classWeights: run.classWeights,
    customLoss: lossFunction(config, run.functions ?? NO_FUNCTIONS),
  };
  const { totalSteps } = trainerSettings(planned, train.lengths.length);
  const { run: method, values } = startMethod(
    config,
    { ...model, encode: run.encodeText },
    totalSteps,
    start?.stored,
    run.functions ?? NO_FUNCTIONS,
  );
  if (start) checkHead(model, method, `adapter: ${config.adapter}`);
  return {
    model,
    settings,
    inputs: {
      engine,
      model,
      method,
      values: values ?? method.tuner.initialValues(config.seed, model.reader(config.seed)),
      train,
      validation,
      constant: run.constant,
      communicator,
    },
  };
}

/** For a config whose functions the program does not have. */
const NO_FUNCTIONS: OwnFunctions = { names: [], call: () => undefined };

function lossFunction({ training }: RunConfig, functions: OwnFunctions): LossFunction | undefined {
  const name = training.compute_loss_func;
  return name && ownLossFunction(functions, name, 'training.compute_loss_func');
}

/** Notices for the user before the first step. */
export function startNotices(run: RunBeginning, { model, inputs }: SetUpRun): string[] {
  return [
    ...run.notices,
    ...originNotices(run, model),
    ...[inputs.method.budget?.assumed ?? inputs.method.assumed ?? []].flat(),
  ];
}

function originNotices({ config, start }: RunBeginning, { initialised }: LoadedModel): string[] {
  if (config.model_init === 'random') return ['All weights are new (model_init: random).'];
  if (!start) {
    return initialised.length > 0 ? [newModules(initialised)] : [];
  }
  const base = start.stored.baseModel;
  const isOther = base && lastName(base) !== lastName(config.model);
  return [
    ...(methodOf(config).definition.continues?.notices ?? []),
    ...(isOther
      ? [`The adapter was trained with ${base}, this run uses ${config.model}. They must be the same model.`]
      : []),
  ];
}

/** The notice about modules that the checkpoint lacks. They get new weights and are trained in full. */
function newModules(parameters: readonly string[]): string {
  const modules = [...new Set(parameters.map((path) => path.split('.').slice(0, -1).join('.')))];
  const start = modules.length === 1 ? 'a new one is' : 'new ones are';
  return `The base model has no ${modules.join(', ')}, so ${start} trained (expected).`;
}

function lastName(path: string): string | undefined {
  return path.split(/[\\/]/).filter(Boolean).at(-1);
}
