import type { BaseDtype } from '../../bases/base-dtype.ts';
import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import type { TaskModel } from '../../objectives/task-model.ts';
import type { Chosen } from '../../run/config/defaults/choose-defaults.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { elementCount } from '../../support/element-count.ts';
import { trainerSettings } from '../../train/trainer-settings.ts';
import type { Budget } from '../../tuners/method-run.ts';
import { adapterParameters } from '../../tuners/tuner.ts';
import type { Calibration } from '../calibration/calibration.ts';
import { startMethod } from '../start-method.ts';
import { allowedBases } from './allowed-bases.ts';
import { type MemoryFacts, memoryEstimate } from './memory-estimate.ts';

/** What a run is going to be. */
export interface Plan {
  method: RunConfig['method'];
  baseDtype: BaseDtype;
  /** Whether activations are computed once more instead of being kept. */
  gradientCheckpointing: boolean;
  /** The values that the config leaves to be chosen. */
  chosen: readonly Chosen[];
  /** How many modules the method stands in. */
  sites: number;
  /** The ranks that adapted modules start with; empty for methods without. */
  ranks: Record<string, number>;
  /** Everything that is trained, the head included. */
  trainableParameters: number;
  adapterParameters: number;
  /** The model with what the method adds. */
  totalParameters: number;
  steps: number;
  stepsPerEpoch: number;
  /** Tokens of an epoch, without padding. */
  tokens: number;
  /** Steps' worth of batches that are read before the first step, to settle the ranks; then these are means, and counts about right. */
  surveyed?: number;
  /** Triplets at the start and in the end, and when they go, for methods that have a budget. */
  budget?: Budget;
  /** Peak of the process, estimated. */
  memoryMb: number;
  /** The same for every type in which the base could be kept, `baseDtype` among them. */
  bases: readonly PlannedBase[];
}

/** What to expect of a run over a base in a type. */
export interface PlannedBase {
  dtype: BaseDtype;
  /** Peak of the process, estimated. */
  memoryMb: number;
  /** What a calibration found, if there was one. */
  measured?: Calibration;
  /** Why it found nothing. */
  failure?: string;
}

/**
 * Works a run out from the model's config alone; no weight of it is read.
 *
 * @param start the adapter it continues
 * @param chosen what of the config the user has not set
 */
export function planRun(
  config: RunConfig,
  model: TaskModel,
  facts: MemoryFacts,
  start?: StoredAdapter,
  chosen: readonly Chosen[] = [],
): Plan {
  const { method, base_dtype } = config;
  const { lengths } = facts.train;
  const { stepsPerEpoch, totalSteps } = trainerSettings(config, lengths.length);
  const { run } = startMethod(config, model, totalSteps, start);
  const { layout, sites } = run.tuner;
  const inAdapters = adapterParameters(run.tuner);
  const modelParameters = [...model.parameters.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
  // A survey comes first and is over when training begins: the larger of the two is the peak.
  const tuners = [run.tuner, ...(run.survey ? [run.survey.tuner] : [])];
  const estimates = tuners.map((tuner) => memoryEstimate(config, model, tuner, facts));
  const bases = allowedBases(config, model).map((dtype) => ({
    dtype,
    memoryMb: Math.max(...estimates.map((estimate) => estimate(dtype))),
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
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    surveyed: run.survey?.steps,
    budget: run.budget,
    memoryMb,
    bases,
  };
}
