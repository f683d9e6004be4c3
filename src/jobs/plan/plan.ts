import { elementCount } from '../../support/element-count.ts';
import type { TaskModel } from '../../objectives/task-model.ts';
import type { AllocationSchedule } from '../../tuners/adalora/budget.ts';
import { adapterParameters } from '../../tuners/low-rank/adapter-parameters.ts';
import type { PeftAdapter } from '../../tuners/low-rank/export-adapter.ts';
import type { LowRankModule } from '../../tuners/tuner.ts';
import { allowedBases } from './allowed-bases.ts';
import type { BaseDtype } from '../../bases/base-dtype.ts';
import type { Calibration } from '../calibration/calibration.ts';
import { type MemoryFacts, memoryEstimate } from './memory-estimate.ts';
import { createMethod } from '../../tuners/method.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { trainerSettings } from '../../train/trainer-settings.ts';

/** What a run is going to be. */
export interface Plan {
  method: RunConfig['method'];
  baseDtype: BaseDtype;
  /** Whether activations are computed once more instead of being kept. */
  gradientCheckpointing: boolean;
  /** Adapted modules with the ranks they start with. */
  modules: readonly LowRankModule[];
  /** Everything that is trained, the head included. */
  trainableParameters: number;
  adapterParameters: number;
  /** The model with what the method adds. */
  totalParameters: number;
  steps: number;
  stepsPerEpoch: number;
  /** Tokens of an epoch, without padding. */
  tokens: number;
  /** Triplets at the start and in the end, and when they go (AdaLoRA). */
  budget?: { initial: number; target: number } & Omit<AllocationSchedule, 'totalStep'>;
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

/** Works a run out from the model's config alone; no weight of it is read. `start`: the adapter it continues. */
export function planRun(config: RunConfig, model: TaskModel, facts: MemoryFacts, start?: PeftAdapter): Plan {
  const { method, base_dtype } = config;
  const { lengths } = facts.train;
  const { stepsPerEpoch, totalSteps } = trainerSettings(config, lengths.length);
  const { run, schedule } = createMethod(config, model, totalSteps, start);
  const { layout, modules } = run.tuner;
  const inAdapters = adapterParameters(modules);
  const modelParameters = [...model.parameters.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
  const estimate = memoryEstimate(config, model, run.tuner, facts);
  const bases = allowedBases(config, model).map((dtype) => ({ dtype, memoryMb: estimate(dtype) }));
  const { memoryMb } = bases.find(({ dtype }) => dtype === base_dtype) as PlannedBase;
  return {
    method,
    baseDtype: base_dtype,
    gradientCheckpointing: config.training.gradient_checkpointing,
    modules,
    trainableParameters: layout.length,
    adapterParameters: inAdapters,
    totalParameters: modelParameters + inAdapters,
    steps: totalSteps,
    stepsPerEpoch,
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    budget: schedule && {
      initial: modules.reduce((sum, { rank }) => sum + rank, 0),
      target: run.budgetAt?.(totalSteps) ?? 0,
      tinit: schedule.tinit,
      tfinal: schedule.tfinal,
      deltaT: schedule.deltaT,
    },
    memoryMb,
    bases,
  };
}
