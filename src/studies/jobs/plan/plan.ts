import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import type { Budget } from '../../../methods/tuners/method-run.ts';
import { adapterParameters } from '../../../methods/tuners/tuner.ts';
import { BASE_DTYPES, type BaseDtype } from '../../../program/bases/base-dtype.ts';
import { baseFormat } from '../../../program/bases/base-format.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import { elementCount } from '../../../support/arrays.ts';
import { addUp, largest } from '../../../support/numbers.ts';
import { crossCheck } from '../../../training/run/config/parse-run-config.ts';
import { readMethod } from '../../../training/run/config/read-method.ts';
import type { Chosen } from '../../../training/run/config/resolve-config.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import { type MemoryInputs, memoryEstimate } from '../../../training/train/memory-estimate.ts';
import { trainerSettings } from '../../../training/train/trainer-settings.ts';
import { encodeRun } from '../encode-run.ts';
import type { OnDownload, RunMachine } from '../machine.ts';
import { readRun } from '../read-run.ts';
import type { AskedRun } from '../rows-in-memory.ts';
import { startMethod } from '../set-up-run.ts';

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

/** Reads the files of a run, except the weights, and plans the run. */
export async function planAsked(
  machine: RunMachine,
  { config: asked, texts }: Pick<AskedRun, 'config' | 'texts'>,
  onDownload?: OnDownload,
): Promise<Plan> {
  const run = await readRun(machine, asked, { texts }, onDownload);
  const { config, model, start, chosen } = run;
  return planRun(config, model(), encodeRun(run, { startedAt: new Date() }), start?.stored, chosen);
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
