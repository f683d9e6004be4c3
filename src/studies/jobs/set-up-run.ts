import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { MethodRun } from '../../methods/tuners/method-run.ts';
import type { TunableModel } from '../../methods/tuners/tuner.ts';
import type { ExampleSet, RowModel } from '../../program/example-set.ts';
import type { OwnFunctions } from '../../program/objectives/own-function.ts';
import { type LossFunction, ownLossFunction } from '../../program/objectives/own-loss.ts';
import { featureWidth, type LinearLayer, layerFeeds } from '../../program/objectives/sentence-classifier.ts';
import { Program } from '../../program/program.ts';
import { untilAborted } from '../../program/until-aborted.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { releasing } from '../../support/opened.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import { measureFirst } from '../../training/train/measure-first.ts';
import { trainerSettings } from '../../training/train/trainer-settings.ts';
import { namingNotFinite } from '../../use/trained/finite-values.ts';
import { checkHead } from '../../use/trained/tune-model.ts';
import type { ReadRun } from './begin-run.ts';
import { everySecond, type Run, type Training, type Tuned } from './run.ts';

/** The parts of a run that its trainings share. */
export type Prepared = Pick<Run, 'files' | 'base' | 'examples'> &
  Partial<Pick<Run, 'planned' | 'communicator'>>;

/**
 * Begins a training of some examples: the run's, or those of a fold.
 *
 * @param layer the layer that the loss reads. By default, one without effect has its place.
 * @throws UserError for an adapter of another model
 */
export function beginTraining(
  { files, base: { model, engine }, examples: { validation }, planned, communicator }: Prepared,
  train: ExampleSet,
  layer = emptyLayer(model),
): Training {
  const { config, classWeights, functions } = files;
  const count = train.lengths.length;
  // The method of an extended run follows the original length.
  const { totalSteps } = trainerSettings(planned ?? config, count);
  const { method, values } = startValues(files, model, totalSteps);
  const customLoss = functions && lossFunction(config, functions);
  return {
    settings: { ...trainerSettings(config, count), classWeights, customLoss },
    inputs: { engine, model, method, values, train: withLayer(train, layer), validation, communicator },
  };
}

/** Does the measurement that a method needs before the first step of a training. */
export async function measureTraining(
  { base: { model } }: Pick<Run, 'base'>,
  training: Training,
): Promise<{ training: Training; measured?: Run['measured'] }> {
  const found = await measureFirst(training.inputs, training.settings, (seed) => model.reader(seed));
  if (!found) return { training };
  const { values, measured } = found;
  return { training: { ...training, inputs: { ...training.inputs, values } }, measured };
}

/** Thrown if a run is asked to stop while it computes outputs of many rows. Its later stages then end it. */
export class Stopped extends Error {}

/**
 * Computes something with a program for some values.
 *
 * @throws Stopped at most a second after the run was asked to stop. Several processes must agree on a stop, so they go on.
 */
export function computing<Result>(
  {
    base,
    files,
    training: { settings },
    communicator,
    host,
  }: Prepared & Pick<Run, 'training'> & Partial<Pick<Run, 'host'>>,
  { method, values }: Tuned,
  compute: (model: RowModel) => Promise<Result>,
): Promise<Result> {
  const { engine, model } = base;
  const program = new Program(engine, model, method.tuner, { ...settings, communicator });
  const listen = everySecond(() => {
    if (host?.shouldStop()) throw new Stopped();
  });
  const isAlone = (communicator?.size ?? 1) === 1;
  const stoppable = untilAborted(program, isAlone ? { throwIfAborted: () => listen(0) } : undefined);
  const parts = { model, values, path: files.config.adapter ?? files.config.output };
  return releasing(program, () => namingNotFinite(parts, () => compute({ program: stoppable, values })));
}

/**
 * A run's method on a model, and the values before its first step.
 *
 * @throws UserError for an adapter of another model
 */
export function startValues(
  { config, start }: Pick<ReadRun, 'config' | 'start'>,
  model: LoadedModel,
  totalSteps: number,
): Tuned {
  const { run: method, values } = startMethod(config, model, totalSteps, start?.stored);
  if (start) checkHead(model, method, `adapter: ${config.adapter}`);
  return {
    method,
    values: values ?? method.tuner.initialValues(config.seed, model.reader(config.seed)),
  };
}

/**
 * Sets up the method of a run of `totalSteps` optimizer steps. To start from an adapter, pass it as `start`;
 * then `config` must come from `continuedConfig`.
 *
 * @returns the method, and its initial values if it starts from an adapter
 */
export function startMethod(
  config: RunConfig,
  model: TunableModel,
  totalSteps: number,
  start?: StoredAdapter,
): { run: MethodRun; values?: Float32Array } {
  const { definition, settings } = readMethod(config);
  if (!start) return { run: definition.start(model, settings, totalSteps, config.seed) };
  if (!definition.continues) throw new Error(`no adapter is continued with ${config.method}`);
  return definition.continues.start(model, settings, start, `adapter: ${config.adapter}`);
}

function lossFunction({ training }: RunConfig, functions: OwnFunctions): LossFunction | undefined {
  const name = training.compute_loss_func;
  return name && ownLossFunction(functions, name, 'training.compute_loss_func');
}

/** A layer that the loss reads, without effect. Undefined if the loss reads none. */
function emptyLayer({ layer, config }: LoadedModel): LinearLayer | undefined {
  if (!layer?.inLoss) return undefined;
  const { columns, outputs } = layer;
  const features = featureWidth(config.numLabels, columns);
  return { weight: new Float32Array(outputs * features), bias: new Float32Array(outputs) };
}

/** Adds a layer to the inputs of examples. */
function withLayer(set: ExampleSet, layer: LinearLayer | undefined): ExampleSet {
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
