import type { Value } from '../../../engine/graph/graph.ts';
import { peakMemory } from '../../../engine/graph/peak-memory.ts';
import { collectSymbols } from '../../../engine/graph/print.ts';
import type { Tensors } from '../../../engine/runtime/session.ts';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { type ExampleLengths, paddedTokens, planEpoch, planEvaluation } from '../../../input/text/batches.ts';
import type { Budget } from '../../../methods/tuners/method-run.ts';
import { adapterParameters, type Tuner } from '../../../methods/tuners/tuner.ts';
import { BASE_DTYPES, type BaseDtype } from '../../../program/bases/base-dtype.ts';
import { baseFormat } from '../../../program/bases/base-format.ts';
import { onBase } from '../../../program/bases/with-base-dtype.ts';
import { countParts, trainingMasks } from '../../../program/batch-part.ts';
import { masksOn } from '../../../program/engine.ts';
import type { Evaluation, ExampleSet } from '../../../program/example-set.ts';
import { inParts } from '../../../program/objectives/labeled-rows.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import { evaluationGraph, trainingGraph } from '../../../program/training-graph.ts';
import type { Validation } from '../../../program/validation.ts';
import { packsWeights, weightMemory } from '../../../program/weight-memory.ts';
import { elementCount } from '../../../support/arrays.ts';
import { addUp, largest } from '../../../support/numbers.ts';
import { crossCheck } from '../../../training/run/config/parse-run-config.ts';
import { readMethod } from '../../../training/run/config/read-method.ts';
import type { Chosen } from '../../../training/run/config/resolve-config.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import { trainerSettings } from '../../../training/train/trainer-settings.ts';
import { encodeRun } from '../encode-run.ts';
import type { OnDownload, RunMachine } from '../machine.ts';
import { readRun } from '../read-run.ts';
import type { AskedRun } from '../rows-in-memory.ts';
import { startMethod } from '../set-up-run.ts';
import { expectSeconds } from './expected-seconds.ts';

/** A preview of a run. */
export interface Plan {
  method: RunConfig['method'];
  baseDtype: BaseDtype;
  gradientCheckpointing: boolean;
  /** The values that were chosen because the user did not set them. */
  chosen: readonly Chosen[];
  /** Number of modules that the method changes. */
  sites: number;
  /** Initial ranks of adapted modules; empty for methods without ranks. */
  ranks: Record<string, number>;
  /** Number of trained parameters, including the head. */
  trainableParameters: number;
  adapterParameters: number;
  /** Number of parameters of the model, including those that the method adds. */
  totalParameters: number;
  steps: number;
  stepsPerEpoch: number;
  /** Tokens per epoch, without padding. */
  tokens: number;
  /**
   * The measurement that chooses the ranks before the first step, if the method has one. Then `ranks` are
   * means, and counts are approximate.
   */
  rankMeasurement?: string;
  /** Initial and final number of triplets, and the schedule; undefined for methods without a budget. */
  budget?: Budget;
  /**
   * Estimated seconds of the run on this machine, with those of a cross-validation. Undefined unless steps were measured,
   * which reads weights.
   */
  seconds?: number | undefined;
  /** Estimated peak memory of the process, in MB (10^6 bytes). */
  memoryMb: number;
  /** Estimates for every possible base type, including `baseDtype`. */
  bases: readonly PlannedBase[];
}

/** Estimates for a run with one base type. */
export interface PlannedBase {
  dtype: BaseDtype;
  /** Estimated peak memory of the process, in MB (10^6 bytes). */
  memoryMb: number;
}

/**
 * Reads the files of a run and plans the run. Weights are read only to measure the time.
 *
 * @param options.isTimed whether to take some steps, which measure the time
 */
export async function planAsked(
  machine: RunMachine,
  { config: asked, texts }: Pick<AskedRun, 'config' | 'texts'>,
  { onDownload, isTimed = false }: { onDownload?: OnDownload | undefined; isTimed?: boolean } = {},
): Promise<Plan> {
  const run = await readRun(machine, asked, { texts }, onDownload);
  const { config, model, start, chosen } = run;
  const examples = encodeRun(run, { startedAt: new Date() });
  const plan = planRun(config, model(), examples, start?.stored, chosen);
  return isTimed ? { ...plan, seconds: await expectSeconds(machine, run, examples) } : plan;
}

/**
 * Plans a run from the model's config, without weights.
 *
 * @param start the adapter from which the run starts
 * @param chosen config values that the user has not set
 */
export function planRun(
  config: RunConfig,
  model: TaskModel,
  facts: MemoryInputs,
  start?: StoredAdapter,
  chosen: readonly Chosen[] = [],
): Plan {
  const { method, base_dtype } = config;
  const { lengths } = facts.train;
  const { stepsPerEpoch, totalSteps } = trainerSettings(config, lengths.length);
  const { run } = startMethod(config, model, totalSteps, start);
  const { layout, sites } = run.tuner;
  const inAdapters = adapterParameters(run.tuner);
  const modelParameters = addUp(model.parameters.values(), elementCount);
  // The measurement ends before training begins, so the peak is the larger of the two.
  const tuners = [run.tuner, ...(run.measurement ? [run.measurement.tuner] : [])];
  const estimates = tuners.map((tuner) => memoryEstimate(config, model, tuner, facts));
  const bases = allowedBases(config, model).map((dtype) => ({
    dtype,
    memoryMb: largest(estimates.map((estimate) => estimate(dtype))),
  }));
  const { memoryMb } = bases.find(({ dtype }) => dtype === base_dtype) as PlannedBase;
  return {
    method,
    baseDtype: base_dtype,
    chosen,
    gradientCheckpointing: config.training.gradient_checkpointing,
    sites: sites.length,
    ranks: run.ranks(),
    trainableParameters: layout.length,
    adapterParameters: inAdapters,
    totalParameters: modelParameters + inAdapters,
    steps: totalSteps,
    stepsPerEpoch,
    tokens: addUp(lengths),
    rankMeasurement: run.measurement?.measures,
    budget: run.budget,
    memoryMb,
    bases,
  };
}

/**
 * The base types that a run can use: those that its method and settings allow and that would change some weight,
 * and the config's own type.
 */
export function allowedBases(config: RunConfig, model: TaskModel): BaseDtype[] {
  const { method, base_dtype } = config;
  const { settings } = readMethod(config);
  const changesWeights = (dtype: BaseDtype) =>
    dtype === 'float32' || baseFormat(model, dtype).base.paths.size > 0;
  return BASE_DTYPES.filter(
    (dtype) =>
      dtype === base_dtype ||
      (crossCheck({ method, settings, base_dtype: dtype }).length === 0 && changesWeights(dtype)),
  );
}

/**
 * Memory of Node and the engine before a model is loaded. This and the next two constants are fitted to
 * measured runs: see bench/log/2026-11-25.md.
 */
const RUNTIME_MB = 120;
/**
 * The overhead of a session's memory arena over the live tensors. The arena grows by doubling, and large
 * tensors leave gaps in it.
 */
const TRAINING_ARENA = { baseMb: 60, factor: 1.05 };
const EVALUATION_ARENA = { baseMb: 30, factor: 2.7 };

/** The input of an estimate besides config and model: the tokenized texts. */
interface MemoryInputs {
  train: ExampleSet;
  validation?: Validation;
}

/**
 * Estimates the peak memory of a run's process in MB, for each base type. The estimate is computed from the
 * graphs, which differ between types. Weights are not read, and no base is made.
 */
function memoryEstimate(
  config: RunConfig,
  plain: TaskModel,
  tuner: Tuner,
  { train, validation }: MemoryInputs,
): (dtype: BaseDtype) => number {
  const { labelParts } = plain;
  const batch = largestBatch(config, train);
  const size = { examples: batch.length, tokens: paddedTokens(batch, train.lengths) };
  const parts = countParts(plain, tuner, size, {
    masks: trainingMasks(plain, masksOn(config.device)),
    hasOwnLoss: config.training.compute_loss_func !== undefined,
  });
  const atATime = batch.slice(0, Math.ceil(batch.length / parts));
  const training = inParts(train.batch(atATime, 0).feeds, labelParts);
  const evaluations = (validation?.parts ?? []).map((part) => evaluationFeeds(part, config, labelParts));
  const { gradient_checkpointing, label_smoothing_factor } = config.training;
  const vectors = 4 * readMethod(config).definition.vectors * tuner.layout.length;
  const options = {
    gradientCheckpointing: gradient_checkpointing,
    labelSmoothing: label_smoothing_factor,
  };
  return (dtype) => {
    const base = dtype === 'float32' ? undefined : baseFormat(plain, dtype).base;
    const model = base ? onBase(plain, base) : plain;
    const { outputs, dropouts } = trainingGraph(model.buildLoss, tuner, options);
    const values = Object.values(outputs);
    const reader = (outputs: readonly Value[], wanted: boolean) => ({
      outputs,
      packed: packsWeights(outputs, { packing: base?.packing, wanted }),
    });
    const readers = [reader(values, !options.gradientCheckpointing)];
    const sessions = [sessionMb(values, training, TRAINING_ARENA)];
    if (evaluations.length > 0) {
      // One session evaluates all sets.
      const values = Object.values(evaluationGraph(model, tuner, evaluations[0]!.output));
      readers.push(reader(values, false));
      sessions.push(largest(evaluations.map(({ feeds }) => sessionMb(values, feeds, EVALUATION_ARENA))));
    }
    const pools = dropouts.poolBytes(collectSymbols(values, training));
    const held = weightMemory(readers) + vectors + pools;
    return RUNTIME_MB + held / 2 ** 20 + addUp(sessions);
  };
}

function evaluationFeeds({ examples, output }: Evaluation, { training }: RunConfig, labelParts?: number) {
  const batches = planEvaluation(examples, training.per_device_eval_batch_size);
  const tokens = (batch: Int32Array) => paddedTokens(batch, examples.lengths);
  const largest = batches.reduce((most, batch) => (tokens(batch) > tokens(most) ? batch : most));
  return { output, feeds: inParts(examples.batch(largest, 0).feeds, labelParts) };
}

function sessionMb(
  values: readonly Value[],
  feeds: Tensors,
  { baseMb, factor }: typeof TRAINING_ARENA,
): number {
  return baseMb + (factor * peakMemory(values, collectSymbols(values, feeds))) / 2 ** 20;
}

/** Number of epochs that are searched. Later epochs have similar batches. */
const EPOCHS_LOOKED_AT = 5;

/** The examples of the largest batch that the run will train on. */
export function largestBatch({ training, seed }: RunConfig, lengths: ExampleLengths): Int32Array {
  let largest: Int32Array = new Int32Array();
  let most = 0;
  const { max_steps, num_train_epochs, gradient_accumulation_steps } = training;
  const isByEpochs = max_steps <= 0;
  const epochs = isByEpochs ? Math.ceil(Math.min(EPOCHS_LOOKED_AT, num_train_epochs)) : EPOCHS_LOOKED_AT;
  let left = isByEpochs ? Number.POSITIVE_INFINITY : max_steps * gradient_accumulation_steps;
  for (let epoch = 0; epoch < epochs && left > 0; epoch++) {
    const batches = planEpoch({
      ...lengths,
      batchSize: training.per_device_train_batch_size,
      seed,
      epoch,
      groupByLength: training.group_by_length,
    });
    for (const examples of batches.slice(0, left)) {
      const size = paddedTokens(examples, lengths.lengths);
      if (size > most) [most, largest] = [size, examples];
    }
    left -= batches.length;
  }
  return largest;
}
