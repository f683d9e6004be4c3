import { z } from 'zod';
import { allocationSchema } from '../tuners/allocation-event.ts';
import { toBeatSchema, verdictSchema } from './verdict.ts';

/** JSON has no NaN: what is not a number was none, or is missing in the log of another version. */
const number = z
  .unknown()
  .transform((value) => (typeof value === 'number' ? value : Number.NaN))
  .prefault(null);
const optional = z.number().optional().catch(undefined);
const step = z.int().min(0);
const text = z.string();
/** Rank of each adapted module. */
const ranks = z.record(z.string(), z.int().min(0));

/** While the model is fetched, the base rounded or text tokenized before the run begins, once a second: in no log. */
const progress = z.object({
  type: z.literal('progress'),
  step,
  what: z.enum(['download', 'base', 'text']),
  /** What is done of it, from 0 to 1. */
  share: z.number(),
});

/** Once, before the first step. A resumed run starts again at `step`. */
const start = z.object({
  type: z.literal('start'),
  step,
  total_steps: step,
  num_train_epochs: number,
  train_examples: number,
  eval_examples: number,
  /** Texts cut to max_length. */
  truncated: number,
  trainable_parameters: number,
  /** Trained parameters outside the head. */
  adapter_parameters: number,
  /** At `step`. */
  ranks: ranks.default({}),
  /** How scores are averaged over classes, by their names without `eval_`, where that is to be said. */
  averages: z.record(text, text).optional().catch(undefined),
  /** What the score by which models are compared has to beat. */
  to_beat: z.array(toBeatSchema).optional().catch(undefined),
  /** That score, without `eval_`. */
  metric_for_best_model: text.optional().catch(undefined),
  method: text.default(''),
  device: text.default(''),
  /** The config's section, with every value. */
  training: z.record(text, z.unknown()).optional().catch(undefined),
  /** Its values that the user has not set, and what they depend on: "learning_rate 8e-3 (AdaLoRA, 420 rows)". */
  chosen: z.array(text).optional().catch(undefined),
  /** Milliseconds from the process's start to the first step. */
  startup_ms: number,
});

/** Every `logging_steps` steps; sums and rates are over the steps since the last one. */
const trainStep = z.object({
  type: z.literal('step'),
  step,
  epoch: number,
  /** Mean task loss. */
  loss: number,
  /** R of the last step, for methods that have one. */
  regularizer: optional,
  grad_norm: number,
  learning_rate: number,
  /** Triplets that may be kept, for methods that have a budget. */
  budget: optional,
  examples_per_second: number,
  /** Of the whole process so far. */
  peak_memory_mb: number,
  /** Steps so far whose gradient was not finite. */
  skipped_steps: number,
});

/** `eval_loss` and, for each metric of the task, `eval_<metric>`, with `eval_runtime` and `eval_samples_per_second`. */
const evaluation = z
  .object({
    type: z.literal('evaluation'),
    step,
    /** Whether this is the best so far by metric_for_best_model. */
    best: z.boolean().default(false),
  })
  .catchall(number);

const allocation = allocationSchema.extend({ type: z.literal('allocation') });

/** At some thirty steps of a run, for methods that have factors. */
const orthogonality = z.object({
  type: z.literal('orthogonality'),
  step,
  /** By module ‖BᵀB - I‖² and ‖AAᵀ - I‖²: the paper's figure 4, with PEFT's B as P and A as Q. */
  modules: z.record(z.string(), z.tuple([z.number(), z.number()])),
});

/** After an evaluation of a task of one class a row: how often each class (row) was taken for each (column), in the first set. */
const confusion = z.object({
  type: z.literal('confusion'),
  step,
  labels: z.array(text),
  counts: z.array(z.array(step)),
});

/** Something a user should know and that stops nothing: a head that was initialised, a step that was skipped. */
const notice = z.object({ type: z.literal('notice'), step, message: text });

const checkpoint = z.object({ type: z.literal('checkpoint'), step, path: text });

const finish = z.object({
  type: z.literal('finish'),
  step,
  /** `stopped`: by a signal; `--resume` continues. `early`: by early_stopping_patience. `stop_at_step`: by that key. */
  reason: z.enum(['done', 'early', 'stop_at_step', 'stopped']),
  /** Of the whole schedule. */
  total_steps: optional,
  train_runtime: number,
  train_samples_per_second: number,
  peak_memory_mb: number,
  /** The last evaluation's, or the best one's with load_best_model_at_end. */
  metrics: z.record(z.string(), number).default({}),
  /** How good that is; missing where a run was stopped, or has no rows to be scored on. */
  verdict: verdictSchema.optional().catch(undefined),
  /** At the end. */
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
 * What a run tells while it goes: one line each in `metrics.jsonl`, and what progress displays live on. Names are
 * those of Hugging Face's trainer where it has one. NaN is written as null.
 */
export type TrainEvent = z.output<typeof schema>;
export type EventOf<Type extends TrainEvent['type']> = Extract<TrainEvent, { type: Type }>;
export type FinishEvent = EventOf<'finish'>;
export type ProgressEvent = EventOf<'progress'>;

/** What an evaluation tells, where `scores` are by name with `eval_`. */
export function evaluationEvent(
  step: number,
  epoch: number,
  scores: Readonly<Record<string, number>>,
  best: boolean,
): EventOf<'evaluation'> {
  // TypeScript has no type for "numbers under all other keys".
  return { type: 'evaluation', step, epoch, ...scores, best } as unknown as EventOf<'evaluation'>;
}

/** An event of a log; undefined for one that this version does not know or cannot trust. */
export function readEvent(value: unknown): TrainEvent | undefined {
  return schema.safeParse(value).data;
}
