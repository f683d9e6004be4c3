import { z } from 'zod';
import { MAX_PREVIEW } from '../../input/media/medium.ts';
import { allocationSchema } from '../../methods/tuners/method-run.ts';
import { MAX_MISTAKES } from '../../program/example-set.ts';
import { toBeatSchema, verdictSchema } from './verdict.ts';

/** NaN is logged as null, so null is read as NaN. So is a value that another version did not log. */
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
 * Sent once a second before the first step, while a model is downloaded, the base is quantized, text is tokenized, or the
 * folds of a cross-validation are trained. Not written to the log.
 */
const progress = z.object({
  type: z.literal('progress'),
  step,
  what: z.enum(['download', 'base', 'preparation', 'text', 'folds']),
  /** The completed share, from 0 to 1. */
  share: z.number(),
});

/** Sent once, before the first step. A resumed run starts at `step`. */
const start = z.object({
  type: z.literal('start'),
  step,
  total_steps: step,
  num_train_epochs: number,
  train_examples: number,
  eval_examples: number,
  /** Number of texts truncated to max_length. */
  truncated: number,
  trainable_parameters: number,
  /** Number of trained parameters outside the head; 0 if there is no adapter because the whole model is trained. */
  adapter_parameters: number,
  /** Ranks at `step`. */
  ranks: ranks.default({}),
  /** The average over classes of a score, or its positive class, by score name without `eval_`: `macro`, `of "spam"`. */
  averages: z.record(text, text).optional().catch(undefined),
  /** The baselines for `metric_for_best_model`. */
  to_beat: z.array(toBeatSchema).optional().catch(undefined),
  /** The score that selects the best model, without `eval_`. */
  metric_for_best_model: text.optional().catch(undefined),
  method: text.default(''),
  device: text.default(''),
  /** The `training` section of the config, with all values. */
  training: z.record(text, z.unknown()).optional().catch(undefined),
  /** The values that the policy chose, with reasons: "learning_rate 8e-3 (AdaLoRA, 420 rows)". */
  chosen: z.array(text).optional().catch(undefined),
  /** Number of steps of a cross-validation that comes first. */
  fold_steps: step.optional().catch(undefined),
  /** Estimated seconds of all steps on this machine, with those of a cross-validation. */
  expected_seconds: optional,
  /** Milliseconds from the start of the process to the first step. */
  startup_ms: number,
});

/** Sent every `logging_steps` steps. Sums and rates are over the steps since the last such event. */
const trainStep = z.object({
  type: z.literal('step'),
  step,
  epoch: number,
  /** Mean task loss. */
  loss: number,
  /** The regularizer R of the last step, for methods that have one. */
  regularizer: optional,
  grad_norm: number,
  learning_rate: number,
  /** Number of triplets that may be kept, for methods with a budget. */
  budget: optional,
  examples_per_second: number,
  /** Peak memory of the process so far. */
  peak_memory_mb: number,
  /** Number of steps with a non-finite gradient so far. */
  skipped_steps: number,
});

/** Has `eval_loss`, `eval_runtime`, `eval_samples_per_second` and, for each metric of the task, `eval_<metric>`. */
const evaluation = z
  .object({
    type: z.literal('evaluation'),
    step,
    /** Whether this evaluation is the best so far by metric_for_best_model. */
    best: z.boolean().default(false),
  })
  .catchall(number);

const allocation = allocationSchema.extend({ type: z.literal('allocation') });

/** Sent at about thirty steps of a run, for methods with low-rank factors. */
const orthogonality = z.object({
  type: z.literal('orthogonality'),
  step,
  /** By module: ‖BᵀB - I‖² and ‖AAᵀ - I‖². The paper's figure 4 shows them as P (here B) and Q (here A). */
  modules: z.record(z.string(), z.tuple([z.number(), z.number()])),
});

/** How often each class (row) was predicted as each class (column). */
const confusionMatrix = z.object({ labels: z.array(text), counts: z.array(z.array(step)) });

/** Sent after an evaluation of a task with one class per row, for the first validation set. */
const confusion = confusionMatrix.extend({ type: z.literal('confusion'), step });

/** A warning that does not stop the run, for example about an initialized head or a skipped step. */
const notice = z.object({ type: z.literal('notice'), step, message: text });

const checkpoint = z.object({ type: z.literal('checkpoint'), step, path: text });

/** Maximum number of code units of a text in a wrong prediction: 200 characters of up to two. */
const shortText = text.max(400);

const mistake = z.object({
  text: shortText,
  text_pair: shortText.optional(),
  preview: text
    .max(MAX_PREVIEW)
    .regex(/^data:(image|audio)\/[a-z]+;base64,[\w+/]+=*$/)
    .optional(),
  label: shortText,
  predicted: shortText,
  /** The probability of the predicted class. */
  probability: z.number().min(0).max(1),
});

const finish = z.object({
  type: z.literal('finish'),
  step,
  /**
   * `stopped`: by a signal; `--resume` continues. `early`: by early_stopping_patience. `stop_at_step`: by this key or
   * by onStepEnd.
   */
  reason: z.enum(['done', 'early', 'stop_at_step', 'stopped']),
  /** Number of steps of the whole schedule. */
  total_steps: optional,
  /** Seconds from the start of the loop to the end, evaluations included, without a cross-validation before it. */
  train_runtime: number,
  /** Seconds from the start of the run to its end: also reading, the cross-validation and the choice of the result. */
  total_runtime: optional,
  /** Training examples per second in the steps, without evaluations. */
  train_samples_per_second: number,
  /** Peak memory of the process, in MB. */
  peak_memory_mb: number,
  /** The metrics of the last evaluation; with load_best_model_at_end, of the best one. */
  metrics: z.record(z.string(), number).default({}),
  /** The assessment of the result. Missing if the run was stopped or has no validation set. */
  verdict: verdictSchema.optional().catch(undefined),
  /**
   * For tasks with one class per row: the most confident wrong predictions of the result in the rows of the verdict, the most
   * confident first. Texts are truncated to 200 characters.
   */
  mistakes: z.array(mistake).max(MAX_MISTAKES).optional().catch(undefined),
  /** The confusion matrix of the same rows, unless there are too many classes to show. */
  confusion: confusionMatrix.optional().catch(undefined),
  /** Ranks at the end of the run. */
  ranks: ranks.default({}),
  /** Number of kept trained parameters outside the head. */
  adapter_parameters: optional,
});

/** Sent after the end by `train --test FILE`: the scores of the result on that file, by name with `eval_`. */
const test = z.object({ type: z.literal('test'), step, file: text, metrics: z.record(text, number) });

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
  test,
]);

/**
 * The events of a run. Each is a line in `metrics.jsonl` and is sent to progress displays. Names are Hugging Face's
 * where its trainer has the same value. NaN is written as null.
 */
export type TrainEvent = z.output<typeof schema>;
/** The event of one type: `EventOf<'step'>`. */
export type EventOf<Type extends TrainEvent['type']> = Extract<TrainEvent, { type: Type }>;
/** The end of a run: its metrics, verdict and ranks. `train` returns it. */
export type FinishEvent = EventOf<'finish'>;
export type ProgressEvent = EventOf<'progress'>;

/** Creates the event of an evaluation; `scores` are by name with `eval_`. */
export function evaluationEvent(
  step: number,
  epoch: number,
  scores: Readonly<Record<string, number>>,
  best: boolean,
): EventOf<'evaluation'> {
  // TypeScript has no type for "all other keys have numbers".
  return {
    type: 'evaluation',
    step,
    epoch,
    ...scores,
    best,
  } as unknown as EventOf<'evaluation'>;
}

/** Parses an event of a log. Returns undefined if this version does not know it or it is invalid. */
export function readEvent(value: unknown): TrainEvent | undefined {
  return schema.safeParse(value).data;
}
