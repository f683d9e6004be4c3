import { z } from 'zod';
import { allocationSchema } from '../tuners/allocation-event.ts';
import { toBeatSchema, verdictSchema } from './verdict.ts';

/** JSON has no NaN. null was NaN, or the log of another version lacks the value. */
const number = z
  .unknown()
  .transform((value) => (typeof value === 'number' ? value : Number.NaN))
  .prefault(null);
const optional = z.number().optional().catch(undefined);
const step = z.int().min(0);
const text = z.string();
/** Rank of each adapted module. */
const ranks = z.record(z.string(), z.int().min(0));

/**
 * Sent once a second while a model is downloaded, the base is rounded or text is tokenized before the run starts. Not
 * written to the log.
 */
const progress = z.object({
  type: z.literal('progress'),
  step,
  what: z.enum(['download', 'base', 'text']),
  /** The share that is done, from 0 to 1. */
  share: z.number(),
});

/** Sent once, before the first step. A resumed run starts again at `step`. */
const start = z.object({
  type: z.literal('start'),
  step,
  total_steps: step,
  num_train_epochs: number,
  train_examples: number,
  eval_examples: number,
  /** Texts truncated to max_length. */
  truncated: number,
  trainable_parameters: number,
  /** Trained parameters outside the head. */
  adapter_parameters: number,
  /** Ranks at `step`. */
  ranks: ranks.default({}),
  /** The averages of scores over classes, by score name without `eval_`, if there is more than one way. */
  averages: z.record(text, text).optional().catch(undefined),
  /** The baselines for the score by which models are compared. */
  to_beat: z.array(toBeatSchema).optional().catch(undefined),
  /** That score, without `eval_`. */
  metric_for_best_model: text.optional().catch(undefined),
  method: text.default(''),
  device: text.default(''),
  /** The config's section, with all values. */
  training: z.record(text, z.unknown()).optional().catch(undefined),
  /** Its values that the policy chose, and why: "learning_rate 8e-3 (AdaLoRA, 420 rows)". */
  chosen: z.array(text).optional().catch(undefined),
  /** Milliseconds from the process's start to the first step. */
  startup_ms: number,
});

/** Sent every `logging_steps` steps. Sums and rates are over the steps since the last event. */
const trainStep = z.object({
  type: z.literal('step'),
  step,
  epoch: number,
  /** Mean task loss. */
  loss: number,
  /** R of the last step, for methods that have one. */
  regularizer: optional,
  grad_norm: number,
  /**
   * tr(Σ) / |G|² of the gradient in examples (McCandlish et al., 2018), with `log_gradient_noise_scale`. NaN if the steps are too few for
   * an estimate.
   */
  gradient_noise_scale: optional,
  learning_rate: number,
  /** Triplets that may be kept, for methods that have a budget. */
  budget: optional,
  examples_per_second: number,
  /** Peak memory of the process so far. */
  peak_memory_mb: number,
  /** Steps so far with a non-finite gradient. */
  skipped_steps: number,
});

/** `eval_loss` and, for each metric of the task, `eval_<metric>`, with `eval_runtime` and `eval_samples_per_second`. */
const evaluation = z
  .object({
    type: z.literal('evaluation'),
    step,
    /** Whether this is the best evaluation so far by metric_for_best_model. */
    best: z.boolean().default(false),
    /** Whether its values are kept though an earlier evaluation was slightly better: see `training.prefer_later_model`. */
    kept: z.boolean().optional(),
  })
  .catchall(number);

const allocation = allocationSchema.extend({ type: z.literal('allocation') });

/** Sent at about thirty steps of a run, for methods that have factors. */
const orthogonality = z.object({
  type: z.literal('orthogonality'),
  step,
  /** By module ‖BᵀB - I‖² and ‖AAᵀ - I‖²: the paper's figure 4, with PEFT's B as P and A as Q. */
  modules: z.record(z.string(), z.tuple([z.number(), z.number()])),
});

/**
 * Sent after an evaluation of a task with one class per row: how often each class (row) was predicted as each (column),
 * in the first validation set.
 */
const confusion = z.object({
  type: z.literal('confusion'),
  step,
  labels: z.array(text),
  counts: z.array(z.array(step)),
});

/** A warning that does not stop the run: a head that was initialised, a step that was skipped. */
const notice = z.object({ type: z.literal('notice'), step, message: text });

const checkpoint = z.object({ type: z.literal('checkpoint'), step, path: text });

const finish = z.object({
  type: z.literal('finish'),
  step,
  /** `stopped`: by a signal; `--resume` continues. `early`: by early_stopping_patience. `stop_at_step`: by that key or by
   * onStepEnd. */
  reason: z.enum(['done', 'early', 'stop_at_step', 'stopped']),
  /** Steps of the whole schedule. */
  total_steps: optional,
  train_runtime: number,
  train_samples_per_second: number,
  peak_memory_mb: number,
  /** The metrics of the last evaluation, or of the best one with load_best_model_at_end. */
  metrics: z.record(z.string(), number).default({}),
  /** The assessment of the result; missing if a run was stopped or has no rows to be scored on. */
  verdict: verdictSchema.optional().catch(undefined),
  /** Ranks at the end of the run. */
  ranks: ranks.default({}),
  /** Trained parameters outside the head that were kept. */
  adapter_parameters: optional,
});

const schema = z.discriminatedUnion('type', [
  progress,
  start,
  trainStep,
  evaluation,
  allocation,
  orthogonality,
  confusion,
  notice,
  checkpoint,
  finish,
]);

/**
 * The events of a run: one line each in `metrics.jsonl`, and the input of progress displays. Names are those of
 * Hugging Face's trainer if it has them. NaN is written as null.
 */
export type TrainEvent = z.output<typeof schema>;
export type EventOf<Type extends TrainEvent['type']> = Extract<TrainEvent, { type: Type }>;
export type FinishEvent = EventOf<'finish'>;
export type ProgressEvent = EventOf<'progress'>;

/** The event of an evaluation; `scores` by name with `eval_`. */
export function evaluationEvent(
  step: number,
  epoch: number,
  scores: Readonly<Record<string, number>>,
  best: boolean,
  kept = best,
): EventOf<'evaluation'> {
  // TypeScript has no type for "numbers under all other keys".
  return {
    type: 'evaluation',
    step,
    epoch,
    ...scores,
    best,
    ...(kept && !best && { kept }),
  } as unknown as EventOf<'evaluation'>;
}

/** Parses an event of a log; undefined for one that is unknown or invalid in this version. */
export function readEvent(value: unknown): TrainEvent | undefined {
  return schema.safeParse(value).data;
}
