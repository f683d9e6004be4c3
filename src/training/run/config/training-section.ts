import { z } from 'zod';
import { LR_SCHEDULER_TYPES, RAMPS } from '../../../methods/optim/schedule.ts';
import { functionOnly } from '../../../methods/tuners/own-function.ts';
import type { LossFunction } from '../../../program/objectives/own-loss.ts';

/** Programs that display a run. */
const nonEmpty = z.string().min(1);
const count = z.int().min(1);

/** Names, meanings and defaults of Hugging Face's `TrainingArguments`, unless a comment says otherwise. */
export const trainingSchema = z.strictObject({
  /** Peak learning rate. With `defaults: huggingface`: 2e-3 for adalora, 5e-4 for lora, 2e-5 for full. */
  learning_rate: z.number().positive().optional(),
  /** Number of epochs. May be a fraction. */
  num_train_epochs: z.number().positive().default(3),
  /** Total number of optimizer steps. Overrides `num_train_epochs`. -1: not set. */
  max_steps: z
    .int()
    .refine((steps) => steps === -1 || steps >= 1, {
      error: 'expected at least 1, or -1 to use num_train_epochs',
    })
    .default(-1),
  /**
   * Step after which the run stops, or a share of the run such as `25%`. The schedule remains that of the whole run. To
   * continue, use `--resume` with a later step or without this key.
   */
  stop_at_step: z
    .union([count, z.string().regex(/^(100|\d{1,2}(\.\d+)?)%$/)], {
      error: 'expected a whole number from 1, or a share such as 25%',
    })
    .optional(),
  /** Examples per batch. With `defaults: huggingface`: 32, or 8 for language models. */
  per_device_train_batch_size: count.optional(),
  /** Maximum number of examples of an evaluation batch; long ones get smaller batches. Default: 64, or 8 for language models. Results do not depend on it. */
  per_device_eval_batch_size: count.optional(),
  /** Batches per optimizer step. */
  gradient_accumulation_steps: count.default(1),
  /** Recompute activations in the backward pass. Needs less memory and more time. The results are the same. */
  gradient_checkpointing: z.boolean().default(false),
  /** Learning rate schedule after the warm-up. For your own, set `constant` and return `learning_rate` from `onStepEnd`. */
  lr_scheduler_type: z.enum(LR_SCHEDULER_TYPES).default('linear'),
  /** Options of the schedule, by transformers' names, such as `num_decay_steps`. */
  lr_scheduler_kwargs: z
    .strictObject({
      /** Number of steps at the full rate, for warmup_stable_decay. */
      num_stable_steps: z.int().min(0),
      /** Number of steps of the decay, for warmup_stable_decay. */
      num_decay_steps: count,
      /** Curve of the warm-up, for warmup_stable_decay. Default: linear. */
      warmup_type: z.enum(RAMPS),
      /** Curve of the decay, for warmup_stable_decay. Default: cosine. */
      decay_type: z.enum(RAMPS),
      /** Lowest rate as a share of the full rate, for warmup_stable_decay. Default: 0. */
      min_lr_ratio: z.number().min(0).lt(1),
    })
    .partial()
    .optional(),
  /** Warm-up as a share of the run. Set this or `warmup_steps`. */
  warmup_ratio: z.number().min(0).lt(1).default(0),
  /** Warm-up in steps. 0: use `warmup_ratio`. */
  warmup_steps: z.int().min(0).default(0),
  /** Decoupled weight decay (AdamW). Biases and norms are exempt. */
  weight_decay: z.number().min(0).default(0),
  /** Label smoothing of the training loss. `eval_loss` is not smoothed. */
  label_smoothing_factor: z.number().min(0).lt(1).default(0),
  /**
   * Weights of the classes in the training loss: `balanced` as in scikit-learn, or a number per label (default 1).
   * `eval_loss` is not weighted.
   */
  class_weights: z.union([z.literal('balanced'), z.record(z.string(), z.number().positive())]).optional(),
  /**
   * A function of your program that replaces the task's loss. It gets logits, labels and the operations of a graph.
   * `eval_loss` remains the task's loss.
   */
  compute_loss_func: functionOnly<LossFunction>().optional(),
  /** Maximum global norm of the gradient. 0: no clipping. */
  max_grad_norm: z.number().min(0).default(1),
  /** AdamW's beta1, for the mean of the gradient. */
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  /** AdamW's beta2, for the mean of the squared gradient. */
  adam_beta2: z.number().min(0).lt(1).default(0.999),
  /** AdamW's epsilon. */
  adam_epsilon: z.number().positive().default(1e-8),
  /** Group examples of similar length into batches. Hugging Face's default is false. */
  group_by_length: z.boolean().default(true),
  /** When to evaluate. Default: `epoch` with a validation set, `no` without. */
  eval_strategy: z.enum(['no', 'epoch', 'steps']).optional(),
  /** Steps between evaluations, with `eval_strategy: steps`. */
  eval_steps: count.optional(),
  /** Steps between checkpoints. Every epoch also ends with one. */
  save_steps: count.default(500),
  /** Number of newest checkpoints to keep. Hugging Face keeps all. */
  save_total_limit: count.default(2),
  /** Steps between two log entries. Hugging Face's default is 500. */
  logging_steps: count.default(10),
  /**
   * `all`: the run's folder gets `importance.f32`, with the importance of every component of every adapted matrix at
   * each allocation of ranks. Display it with `adalora inspect RUN --importance`.
   */
  log_importance: z.enum(['none', 'all']).optional(),
  /**
   * `tensorboard`: write event files in `tensorboard/` of the run's folder. For other programs, see
   * docs/metrics.md. Default: none.
   */
  report_to: z.literal('tensorboard').optional(),
  /** Score that selects the best model. Default: the task's main score. A leading `eval_` is ignored. */
  metric_for_best_model: nonEmpty.optional(),
  /** Whether a higher score is better. Default: true, except for losses and errors. */
  greater_is_better: z.boolean().optional(),
  /** Keep the best model at the end instead of the last. */
  load_best_model_at_end: z.boolean().default(false),
  /**
   * End with a linear probe of the frozen model, or with a constant such as the majority class, if that is better than the
   * fine-tuned model by more than a standard error. Embeddings: end with the model before training if fine-tuning is no
   * better. For labeled texts, tags and embeddings with rows to judge by. Labels and tags need a single validation set.
   * Default: true if the result is saved in the same kind of files (sentence vectors, tags, embeddings), unless
   * `class_weights` or `load_best_model_at_end` is set. Probabilities are calibrated unless one of them is set or `floor` is
   * `false`.
   */
  floor: z.boolean().optional(),
  /** Stop after this many evaluations without a better score. */
  early_stopping_patience: count.optional(),
});

/** The `training` section as written by a user. */
export type TrainingInput = z.input<typeof trainingSchema>;

/** The `training` section before defaults that depend on other keys are filled in. */
export type TrainingSection = z.output<typeof trainingSchema>;

type ByOtherKeys =
  | 'learning_rate'
  | 'per_device_train_batch_size'
  | 'per_device_eval_batch_size'
  | 'eval_strategy'
  | 'metric_for_best_model'
  | 'greater_is_better';

/** The `training` section with every default filled in. */
export type TrainingConfig = Omit<TrainingSection, ByOtherKeys> &
  Required<Pick<TrainingSection, ByOtherKeys>>;
