import type { Value } from '../graph/graph.ts';
import { peakMemory } from '../graph/peak-memory.ts';
import { elementCount } from '../support/element-count.ts';
import type { SequenceModel } from '../tasks/sequence-model.ts';
import { planEpoch, planEvaluation } from '../text/batches.ts';
import type { AllocationSchedule } from '../tuners/adalora/budget.ts';
import { adapterParameters } from '../tuners/adapter-parameters.ts';
import type { PeftAdapter } from '../tuners/peft/export-adapter.ts';
import type { LowRankModule } from '../tuners/tuner.ts';
import { createMethod } from './method.ts';
import type { RunConfig } from './run-config.ts';
import { trainerSettings } from './trainer-settings.ts';
import { evaluationGraph, trainingGraph } from './training-graph.ts';

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

/** What a plan rests on, beside config and model: the texts, as tokens. */
export interface PlanFacts {
  /** Tokens of each training text. */
  lengths: Int32Array;
  /** Tokens of each validation text, where there are any. */
  validationLengths?: Int32Array;
}

/** Memory of Node and the engine before a model is loaded. Fitted to measured runs, as the next two: docs/log.md. */
const RUNTIME_MB = 120;
/** What a session's arena holds beyond the live tensors: it grows by doubling, and a few large tensors fit it badly. */
const TRAINING_ARENA = { baseMb: 60, factor: 1.05 };
const EVALUATION_ARENA = { baseMb: 30, factor: 2.7 };
/** float32 vectors as long as the trained one: values, gradient, two moments, a copy; AdaLoRA has two averages. */
const VECTORS = { adalora: 7, lora: 5, full: 5 };
/** Batches repeat in kind from epoch to epoch: the largest of so many stands for all. */
const EPOCHS_LOOKED_AT = 5;

/** Works a run out from the model's config alone; no weight of it is read. `start`: the adapter it continues. */
export function planRun(
  config: RunConfig,
  model: SequenceModel,
  facts: PlanFacts,
  start?: PeftAdapter,
): Plan {
  const { method } = config;
  const { stepsPerEpoch, totalSteps } = trainerSettings(config, facts.lengths.length);
  const { run, schedule } = createMethod(config, model, totalSteps, start);
  const { layout, modules } = run.tuner;
  const inAdapters = adapterParameters(modules);
  const modelParameters = [...model.parameters.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
  const largest = largestBatch(config, facts.lengths);
  const graph = trainingGraph(model.buildLoss, run.tuner);
  const sessions = [sessionMb(graph.outputs, largest, TRAINING_ARENA)];
  if (facts.validationLengths) {
    const [first] = planEvaluation(facts.validationLengths, config.training.per_device_eval_batch_size);
    const outputs = evaluationGraph(model.buildLogits, run.tuner);
    sessions.push(sessionMb(outputs, sizeOfBatch(first, facts.validationLengths), EVALUATION_ARENA));
  }
  const pools = graph.dropouts.poolBytes({ ...largest });
  const heldMb = (4 * (modelParameters + VECTORS[method] * layout.length) + pools) / 2 ** 20;
  return {
    method,
    modules,
    trainableParameters: layout.length,
    adapterParameters: inAdapters,
    totalParameters: modelParameters + inAdapters,
    steps: totalSteps,
    stepsPerEpoch,
    budget: schedule && {
      initial: modules.reduce((sum, { rank }) => sum + rank, 0),
      target: run.budgetAt?.(totalSteps) ?? 0,
      tinit: schedule.tinit,
      tfinal: schedule.tfinal,
      deltaT: schedule.deltaT,
    },
    memoryMb: RUNTIME_MB + heldMb + sessions.reduce((a, b) => a + b),
  };
}

function sessionMb(
  outputs: Readonly<Record<string, Value>>,
  size: BatchSize,
  { baseMb, factor }: typeof TRAINING_ARENA,
): number {
  return baseMb + (factor * peakMemory(Object.values(outputs), { ...size })) / 2 ** 20;
}

/** The largest batch of the run's own plan, by padded tokens. */
function largestBatch({ training, seed }: RunConfig, lengths: Int32Array): BatchSize {
  let largest: BatchSize = { batch: 0, sequence: 0 };
  const epochs = Math.ceil(Math.min(EPOCHS_LOOKED_AT, training.num_train_epochs));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const batches = planEpoch({
      lengths,
      batchSize: training.per_device_train_batch_size,
      seed,
      epoch,
      groupByLength: training.group_by_length,
    });
    for (const examples of batches) {
      const size = sizeOfBatch(examples, lengths);
      if (size.batch * size.sequence > largest.batch * largest.sequence) largest = size;
    }
  }
  return largest;
}

type BatchSize = { batch: number; sequence: number };

function sizeOfBatch(examples: Int32Array, lengths: Int32Array): BatchSize {
  return {
    batch: examples.length,
    sequence: examples.reduce((longest, example) => Math.max(longest, lengths[example]), 0),
  };
}
