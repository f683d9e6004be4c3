import type { MethodRun } from '../../methods/tuners/method-run.ts';
import type { Engine } from '../../program/engine.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import type { OwnFunctions } from '../../program/objectives/own-function.ts';
import { type LossFunction, ownLossFunction } from '../../program/objectives/own-loss.ts';
import { featureWidth, type LinearLayer, layerFeeds } from '../../program/objectives/sentence-classifier.ts';
import { ALONE_PROCESSES, type Communicator } from '../../program/parallel/communicator.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { lastPart } from '../../support/text.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import type { ProgressEvent } from '../../training/run/events.ts';
import type { TrainerInputs } from '../../training/train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../../training/train/trainer-settings.ts';
import { checkHead } from '../../use/trained/tune-model.ts';
import type { RunBeginning } from './begin-run.ts';
import { type EncodedRun, encodeRun } from './encode-run.ts';
import { everySecond } from './every-second.ts';
import { type RunMachine, withThreads } from './machine.ts';
import type { ReadRun } from './read-run.ts';
import { startMethod } from './start-method.ts';

/** The parts that a run trains with. */
export interface SetUpRun extends Omit<EncodedRun, 'train' | 'validation'> {
  model: LoadedModel;
  settings: TrainerSettings;
  inputs: TrainerInputs;
  /** The same run from its start, with other training examples. */
  with(train: ExampleSet): SetUpRun;
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
  const { config } = run;
  const { train, validation, ...encoded } = encodeRun(run, startedAt, onProgress);
  const customLoss = run.functions && lossFunction(config, run.functions);
  const start = (train: ExampleSet): SetUpRun => {
    const { totalSteps } = trainerSettings(planned, train.lengths.length);
    const { method, values } = startValues(run, model, totalSteps);
    return {
      ...encoded,
      model,
      with: start,
      settings: {
        ...trainerSettings(config, train.lengths.length),
        classWeights: run.classWeights,
        customLoss,
      },
      inputs: { engine, model, method, values, train, validation, communicator },
    };
  };
  // Training begins with a layer that is fitted first. Until then, one without effect has its place.
  const { inLoss, columns = 1, outputs = 1 } = model.layer ?? {};
  const features = featureWidth(model.config.numLabels, columns);
  const empty = { weight: new Float32Array(outputs * features), bias: new Float32Array(outputs) };
  return start(withLayer(train, inLoss ? empty : undefined));
}

/**
 * Opens a run's base and sets up the run, in this process alone.
 *
 * @param onProgress called at most once per second for each kind of work
 * @throws UserError for a checkpoint that does not fit the model, and like {@link setUpRun}
 */
export async function loadRun(
  machine: RunMachine,
  run: ReadRun,
  onProgress: (what: ProgressEvent['what'], share: number) => void = () => {},
): Promise<SetUpRun> {
  const progress = (what: ProgressEvent['what']) => everySecond((share) => onProgress(what, share));
  const { model, engine } = await machine.open(run, withThreads(run.config, ALONE_PROCESSES), progress);
  return setUpRun(run, model, engine, { startedAt: new Date(), onProgress: progress('text') });
}

/**
 * A run's method on a model, and the values before its first step.
 *
 * @throws UserError for an adapter of another model
 */
export function startValues(
  { config, start }: RunBeginning,
  model: LoadedModel,
  totalSteps: number,
): { method: MethodRun; values: Float32Array } {
  const { run: method, values } = startMethod(config, model, totalSteps, start?.stored);
  if (start) checkHead(model, method, `adapter: ${config.adapter}`);
  return {
    method,
    values: values ?? method.tuner.initialValues(config.seed, model.reader(config.seed)),
  };
}

/** Adds a layer to the inputs of examples. */
export function withLayer(set: ExampleSet, layer: LinearLayer | undefined): ExampleSet {
  if (!layer) return set;
  const feeds = layerFeeds(layer);
  return {
    ...set,
    batch(examples, number) {
      const batch = set.batch(examples, number);
      return { ...batch, feeds: { ...batch.feeds, ...feeds } };
    },
  };
}

function lossFunction({ training }: RunConfig, functions: OwnFunctions): LossFunction | undefined {
  const name = training.compute_loss_func;
  return name && ownLossFunction(functions, name, 'training.compute_loss_func');
}

/** Notices for the user before the first step. */
export function startNotices(run: RunBeginning, { model, inputs }: SetUpRun): string[] {
  // With chosen defaults, the schedule of ranks is one of them.
  const isChosen = run.config.defaults === 'chosen';
  const assumed = isChosen ? [] : [inputs.method.budget?.assumed ?? inputs.method.assumed ?? []].flat();
  return [...run.notices, ...originNotices(run, model), ...assumed];
}

function originNotices({ config, start }: RunBeginning, { initialised }: LoadedModel): string[] {
  if (config.model_init === 'random') return ['All weights are new (model_init: random).'];
  if (!start) {
    return initialised.length > 0 ? [newModules(initialised)] : [];
  }
  const base = start.stored.baseModel;
  const isOther = base && lastPart(base) !== lastPart(config.model);
  return [
    ...(readMethod(config).definition.continues?.notices ?? []),
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
