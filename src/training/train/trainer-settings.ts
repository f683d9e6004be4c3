import { countWarmupSteps } from '../../methods/optim/schedule.ts';
import type { TrainingOptions } from '../../program/training-graph.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { RunConfig } from '../run/config/run-config.ts';
import type { StepBatchesSettings } from './step-batches.ts';
import type { UpdateSettings } from './updater.ts';

export interface TrainerSettings extends StepBatchesSettings, TrainingOptions {
  totalSteps: number;
  /** The step after which the run ends. The schedule still has `totalSteps`. */
  stopStep: number;
  update: UpdateSettings;
  loggingSteps: number;
  /** Number of steps between evaluations. 0: no evaluations. "epoch": at the end of each epoch and of the run. */
  evaluate: number | 'epoch';
  /** Whether to evaluate also before the first step. */
  evaluateBefore: boolean;
  saveSteps: number;
  metricForBest: string;
  greaterIsBetter: boolean;
  loadBestAtEnd: boolean;
  /** Number of evaluations without a better one after which the run ends. */
  patience?: number;
}

/** Converts a config's `training` section to the trainer's settings, for `examples` rows. */
export function trainerSettings({ task, training, seed }: RunConfig, examples: number): TrainerSettings {
  const { stepsPerEpoch, totalSteps } = runLength(
    examples,
    training.per_device_train_batch_size,
    training.gradient_accumulation_steps,
    training.num_train_epochs,
    training.max_steps,
  );
  const evaluations = { no: 0, epoch: 'epoch', steps: training.eval_steps ?? 0 } as const;
  return {
    seed,
    stepsPerEpoch,
    totalSteps,
    stopStep: stopStep(training.stop_at_step, totalSteps),
    batchSize: training.per_device_train_batch_size,
    accumulation: training.gradient_accumulation_steps,
    groupByLength: training.group_by_length,
    gradientCheckpointing: training.gradient_checkpointing,
    labelSmoothing: training.label_smoothing_factor,
    update: {
      learningRate: training.learning_rate,
      schedule: training.lr_scheduler_type,
      scheduleOptions: training.lr_scheduler_kwargs,
      warmupSteps: training.warmup_steps || countWarmupSteps(training.warmup_ratio, totalSteps),
      totalSteps,
      betas: [training.adam_beta1, training.adam_beta2],
      epsilon: training.adam_epsilon,
      weightDecay: training.weight_decay,
      maxGradNorm: training.max_grad_norm,
    },
    loggingSteps: training.logging_steps,
    evaluate: evaluations[training.eval_strategy],
    // A new head has learned nothing yet.
    evaluateBefore: training.eval_strategy !== 'no' && taskNamed(task).training.keepsHead === true,
    saveSteps: training.save_steps,
    metricForBest: training.metric_for_best_model,
    greaterIsBetter: training.greater_is_better,
    loadBestAtEnd: training.load_best_model_at_end,
    patience: training.early_stopping_patience,
  };
}

/**
 * The step at which `training.stop_at_step` ends a run. It is the last step if the key is missing or names a later one.
 */
export function stopStep(stop: number | string | undefined, totalSteps: number): number {
  if (typeof stop === 'string') return Math.max(1, Math.round((totalSteps * Number.parseFloat(stop)) / 100));
  return Math.min(stop ?? totalSteps, totalSteps);
}

/** The length of a run. */
interface RunLength {
  stepsPerEpoch: number;
  /** Number of optimizer steps in the whole run. */
  totalSteps: number;
}

/**
 * The number of steps of a run, as Hugging Face's trainer counts them: the last, smaller group of micro-batches of an
 * epoch is a separate step.
 *
 * @param maxSteps replaces the epochs if above 0
 */
export function runLength(
  examples: number,
  batchSize: number,
  accumulation: number,
  epochs: number,
  maxSteps: number,
): RunLength {
  const stepsPerEpoch = Math.ceil(Math.ceil(examples / batchSize) / accumulation);
  return { stepsPerEpoch, totalSteps: maxSteps > 0 ? maxSteps : Math.ceil(stepsPerEpoch * epochs) };
}
