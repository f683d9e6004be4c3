import type { AllocationEvent } from '../tuners/adalora/allocator.ts';

/**
 * What a run tells while it goes: one line each in `metrics.jsonl`, and what progress displays live on. Names are
 * those of Hugging Face's trainer where it has one.
 */
export type TrainEvent =
  | ProgressEvent
  | StartEvent
  | StepEvent
  | EvaluationEvent
  | ({ type: 'allocation' } & AllocationEvent)
  | NoticeEvent
  | CheckpointEvent
  | FinishEvent;

/** While the base is rounded or text is tokenized before the run begins, once a second: in no log. */
export interface ProgressEvent {
  type: 'progress';
  step: number;
  what: 'base' | 'text';
  /** What is done of it, from 0 to 1. */
  share: number;
}

/** Once, before the first step. A resumed run starts again at `step`. */
export interface StartEvent {
  type: 'start';
  step: number;
  total_steps: number;
  num_train_epochs: number;
  train_examples: number;
  eval_examples: number;
  /** Texts cut to max_length. */
  truncated: number;
  trainable_parameters: number;
  /** Trained parameters outside the head. */
  adapter_parameters: number;
  /** Rank of each adapted module at `step`. */
  ranks: Record<string, number>;
  method: string;
  device: string;
  /** Milliseconds from the process's start to the first step. */
  startup_ms: number;
}

/** Every `logging_steps` steps; sums and rates are over the steps since the last one. */
export interface StepEvent {
  type: 'step';
  step: number;
  epoch: number;
  /** Mean task loss. */
  loss: number;
  /** Orthogonality R of the last step (AdaLoRA). */
  regularizer?: number;
  grad_norm: number;
  learning_rate: number;
  /** Triplets that may be kept (AdaLoRA). */
  budget?: number;
  examples_per_second: number;
  /** Of the whole process so far. */
  peak_memory_mb: number;
  /** Steps so far whose gradient was not finite. */
  skipped_steps: number;
}

/** `eval_loss` and, for each metric of the task, `eval_<metric>`; NaN is written as null. */
export interface EvaluationEvent {
  type: 'evaluation';
  step: number;
  epoch: number;
  eval_loss: number;
  eval_runtime: number;
  eval_samples_per_second: number;
  /** Whether this is the best so far by metric_for_best_model. */
  best: boolean;
  [metric: `eval_${string}`]: number;
}

/** Something a user should know and that stops nothing: a head that was initialised, a step that was skipped. */
export interface NoticeEvent {
  type: 'notice';
  step: number;
  message: string;
}

export interface CheckpointEvent {
  type: 'checkpoint';
  step: number;
  path: string;
}

export interface FinishEvent {
  type: 'finish';
  step: number;
  /** `stopped`: by a signal; `--resume` goes on. `early`: by early_stopping_patience. */
  reason: 'done' | 'early' | 'stopped';
  train_runtime: number;
  train_samples_per_second: number;
  peak_memory_mb: number;
  /** The last evaluation's, or the best one's with load_best_model_at_end. */
  metrics: Record<string, number>;
  /** Final rank of each adapted module. */
  ranks: Record<string, number>;
}
