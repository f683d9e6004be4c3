import { peakMemory } from '../graph/peak-memory.ts';
import type { SequenceModel } from '../tasks/sequence-model.ts';
import type { AllocationSchedule } from '../tuners/adalora/budget.ts';
import type { LowRankModule } from '../tuners/tuner.ts';
import { createMethod } from './method.ts';
import type { RunConfig } from './run-config.ts';
import { runLength } from './run-length.ts';
import { trainingGraph } from './training-graph.ts';

/** What a run is going to be. */
export interface Plan {
  method: RunConfig['method'];
  /** Adapted modules with the ranks they start with. */
  modules: readonly LowRankModule[];
  /** Everything that is trained, the head included. */
  trainableParameters: number;
  adapterParameters: number;
  /** The model with what the method adds. */
  totalParameters: number;
  steps: number;
  stepsPerEpoch: number;
  /** Triplets at the start and in the end, and when they go (AdaLoRA). */
  budget?: { initial: number; target: number } & Omit<AllocationSchedule, 'totalStep'>;
  /** Peak of the process, estimated. */
  memoryMb: number;
}

/** What the estimate of memory rests on, beside the graph. */
export interface PlanFacts {
  examples: number;
  /** Tokens of the longest batch, at the most. */
  longest: number;
}

/**
 * Memory of Node and the engine before a model is loaded, and the part of the graph's live tensors that the engine
 * holds on top (its arena grows in steps and fragments). Fitted to measured runs: see docs/log.md.
 */
const RUNTIME_MB = 130;
const ARENA_FACTOR = 1.12;
/** float32 vectors as long as the trained one: values, gradient, two moments; AdaLoRA has two averages. */
const VECTORS = { adalora: 6, lora: 4, full: 4 };

/** Works a run out from the model's config alone; no weight is read. */
export function planRun(config: RunConfig, model: SequenceModel, { examples, longest }: PlanFacts): Plan {
  const { training, method } = config;
  const batch = Math.min(training.per_device_train_batch_size, examples);
  const { stepsPerEpoch, totalSteps } = runLength(
    examples,
    training.per_device_train_batch_size,
    training.gradient_accumulation_steps,
    training.num_train_epochs,
    training.max_steps,
  );
  const { run, schedule } = createMethod(config, model, totalSteps);
  const { layout, modules } = run.tuner;
  const adapterParameters = modules.reduce(
    (sum, { rank, inFeatures, outFeatures }) => sum + rank * (inFeatures + outFeatures),
    0,
  );
  const modelParameters = [...model.parameters.values()].reduce((sum, shape) => sum + product(shape), 0);
  const { outputs } = trainingGraph(model.buildLoss, run.tuner);
  const activations = peakMemory(Object.values(outputs), { batch, sequence: longest });
  const vectors = VECTORS[method] * 4 * layout.length;
  const weights = 4 * modelParameters;
  return {
    method,
    modules,
    trainableParameters: layout.length,
    adapterParameters,
    totalParameters: modelParameters + adapterParameters,
    steps: totalSteps,
    stepsPerEpoch,
    budget: schedule && {
      initial: modules.reduce((sum, { rank }) => sum + rank, 0),
      target: run.budgetAt?.(totalSteps) ?? 0,
      tinit: schedule.tinit,
      tfinal: schedule.tfinal,
      deltaT: schedule.deltaT,
    },
    memoryMb: RUNTIME_MB + (ARENA_FACTOR * activations + vectors + weights) / 2 ** 20,
  };
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
