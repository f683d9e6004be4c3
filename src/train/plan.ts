import type { Value } from '../graph/graph.ts';
import { peakMemory } from '../graph/peak-memory.ts';
import { symbolsOf } from '../graph/symbols-of.ts';
import type { Tensors } from '../runtime/session.ts';
import { elementCount } from '../support/element-count.ts';
import type { TaskModel } from '../tasks/task-model.ts';
import { planEpoch, planEvaluation } from '../text/batches.ts';
import type { AllocationSchedule } from '../tuners/adalora/budget.ts';
import { adapterParameters } from '../tuners/adapter-parameters.ts';
import type { PeftAdapter } from '../tuners/peft/export-adapter.ts';
import type { LowRankModule } from '../tuners/tuner.ts';
import { baseBytes } from './base-dtype/base-bytes.ts';
import type { BaseDtype } from './base-dtype/base-dtype.ts';
import { baseFormat } from './base-dtype/base-format.ts';
import { onBase } from './base-dtype/on-base.ts';
import type { Evaluation, ExampleSet } from './example-set.ts';
import { createMethod } from './method.ts';
import type { RunConfig } from './run-config.ts';
import { trainerSettings } from './trainer-settings.ts';
import { evaluationGraph, trainingGraph } from './training-graph.ts';

/** What a run is going to be. */
export interface Plan {
  method: RunConfig['method'];
  baseDtype: BaseDtype;
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
}

/** What a plan rests on, beside config and model: the texts, as tokens. */
export interface PlanFacts {
  train: ExampleSet;
  validation?: Evaluation;
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
export function planRun(config: RunConfig, plain: TaskModel, facts: PlanFacts, start?: PeftAdapter): Plan {
  const { method, base_dtype } = config;
  const model = base_dtype === 'float32' ? plain : onBase(plain, baseFormat(plain, base_dtype).base);
  const { stepsPerEpoch, totalSteps } = trainerSettings(config, facts.train.lengths.length);
  const { run, schedule } = createMethod(config, model, totalSteps, start);
  const { layout, modules } = run.tuner;
  const inAdapters = adapterParameters(modules);
  const modelParameters = [...model.parameters.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
  const { train, validation } = facts;
  const graph = trainingGraph(model.buildLoss, run.tuner);
  const { feeds } = train.batch(largestBatch(config, train.lengths), 0);
  const sessions = [sessionMb(graph.outputs, feeds, TRAINING_ARENA)];
  if (validation) {
    const { examples, output } = validation;
    const [first] = planEvaluation(examples.lengths, config.training.per_device_eval_batch_size);
    const outputs = evaluationGraph(model, run.tuner, output);
    sessions.push(sessionMb(outputs, examples.batch(first, 0).feeds, EVALUATION_ARENA));
  }
  const pools = graph.dropouts.poolBytes(symbolsOf(Object.values(graph.outputs), feeds));
  const held = baseBytes(plain, base_dtype) + 4 * VECTORS[method] * layout.length + pools;
  return {
    method,
    baseDtype: base_dtype,
    modules,
    trainableParameters: layout.length,
    adapterParameters: inAdapters,
    totalParameters: modelParameters + inAdapters,
    steps: totalSteps,
    stepsPerEpoch,
    tokens: train.lengths.reduce((sum, length) => sum + length, 0),
    budget: schedule && {
      initial: modules.reduce((sum, { rank }) => sum + rank, 0),
      target: run.budgetAt?.(totalSteps) ?? 0,
      tinit: schedule.tinit,
      tfinal: schedule.tfinal,
      deltaT: schedule.deltaT,
    },
    memoryMb: RUNTIME_MB + held / 2 ** 20 + sessions.reduce((a, b) => a + b),
  };
}

function sessionMb(
  outputs: Readonly<Record<string, Value>>,
  feeds: Tensors,
  { baseMb, factor }: typeof TRAINING_ARENA,
): number {
  const values = Object.values(outputs);
  return baseMb + (factor * peakMemory(values, symbolsOf(values, feeds))) / 2 ** 20;
}

/** The largest batch of the run's own plan, by padded tokens. */
function largestBatch({ training, seed }: RunConfig, lengths: Int32Array): Int32Array {
  let largest: Int32Array = new Int32Array();
  let most = 0;
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
      const longest = examples.reduce((length, example) => Math.max(length, lengths[example]), 0);
      if (examples.length * longest > most) [most, largest] = [examples.length * longest, examples];
    }
  }
  return largest;
}
