import type { MethodRun } from '../../methods/tuners/method-run.ts';
import { type OwnFunctions, ownLossFunction } from '../../methods/tuners/own-function.ts';
import type { Engine } from '../../program/engine.ts';
import type { EvaluatedRows, ExampleSet } from '../../program/example-set.ts';
import type { LossFunction } from '../../program/objectives/own-loss.ts';
import { featureWidth, type LinearLayer, layerFeeds } from '../../program/objectives/sentence-classifier.ts';
import { ALONE_PROCESSES, type Communicator } from '../../program/parallel/communicator.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import type { ProgressEvent } from '../../training/run/events.ts';
import type { TrainerInputs } from '../../training/train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../../training/train/trainer-settings.ts';
import { checkHead } from '../../use/trained/tune-model.ts';
import type { RunBeginning } from './begin-run.ts';
import { everySecond } from './every-second.ts';
import { type RunMachine, withThreads } from './machine.ts';
import type { ReadRun } from './read-run.ts';
import { startMethod } from './start-method.ts';

/** The parts that a run trains with. */
export interface SetUpRun {
  model: LoadedModel;
  settings: TrainerSettings;
  inputs: TrainerInputs;
  /** The training rows as an evaluation, with features for a linear probe. Undefined if the task has no probe. */
  rows?: EvaluatedRows | undefined;
  /** The same rows as the run's own head reads them, for a cross-validation. */
  headRows?: EvaluatedRows | undefined;
  /** The rows of the validation set that judges the run, read like `rows`. */
  validationRows?: EvaluatedRows | undefined;
  /** Fits baselines and returns their scores on the rows that judge the run. Empty if there are none. */
  baselines(): Promise<readonly Baseline[]>;
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
  const { train, baselines, ...encoded } = run.encode(startedAt, onProgress, communicator);
  const customLoss = run.functions && lossFunction(config, run.functions);
  const start = (train: ExampleSet): SetUpRun => {
    const { totalSteps } = trainerSettings(planned, train.lengths.length);
    const { method, values } = startValues(run, model, totalSteps);
    return {
      model,
      rows: encoded.rows,
      headRows: encoded.headRows,
      validationRows: encoded.validationRows,
      baselines,
      with: start,
      settings: {
        ...trainerSettings(config, train.lengths.length),
        classWeights: run.classWeights,
        customLoss,
      },
      inputs: { engine, model, method, values, train, validation: encoded.validation, communicator },
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
  { config, start, functions, encodeText }: RunBeginning,
  model: LoadedModel,
  totalSteps: number,
): { method: MethodRun; values: Float32Array } {
  const { run: method, values } = startMethod(
    config,
    { ...model, encode: encodeText },
    totalSteps,
    start?.stored,
    functions,
  );
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
  const isOther = base && lastName(base) !== lastName(config.model);
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

function lastName(path: string): string | undefined {
  return path.split(/[\\/]/).filter(Boolean).at(-1);
}
