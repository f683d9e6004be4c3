import { z } from 'zod';
import { LR_SCHEDULER_TYPES } from '../../optim/schedule.ts';

const given = z.string().min(1);
const count = z.int().min(1);

/** Hugging Face's `TrainingArguments`: names and meanings, and its defaults except where a comment says otherwise. */
export const trainingSchema = z.strictObject({
  /** Default by method: 2e-3 for adalora, 5e-4 for lora, 2e-5 for full. */
  learning_rate: z.number().positive().optional(),
  /** Times that all training rows are seen; may be a fraction. */
  num_train_epochs: z.number().positive().default(3),
  /** Optimizer steps in all, instead of `num_train_epochs`; -1: not given. */
  max_steps: z
    .int()
    .refine((steps) => steps === -1 || steps >= 1, {
      error: 'expected a count from 1, or -1 to go by num_train_epochs',
    })
    .default(-1),
  /**
   * Ends the run after this step, or after this share of it such as `25%`, on the schedule of the whole run: `--resume` with a
   * later step, or without one, continues it.
   */
  stop_at_step: z
    .union([count, z.string().regex(/^(100|\d{1,2}(\.\d+)?)%$/)], {
      error: 'expected a count from 1 or a share like 25%',
    })
    .optional(),
  /** Default: 32, of language models 8 as in Hugging Face. */
  per_device_train_batch_size: count.optional(),
  /** Default: 64, of language models 8 as in Hugging Face; it changes no result. */
  per_device_eval_batch_size: count.optional(),
  /** Batches that make one optimizer step. */
  gradient_accumulation_steps: count.default(1),
  /** Compute every layer's activations once more for the backward pass: less memory, more time, the same results. */
  gradient_checkpointing: z.boolean().default(false),
  /** How the learning rate goes after the warm-up. */
  lr_scheduler_type: z.enum(LR_SCHEDULER_TYPES).default('linear'),
  /** Share of the run in which the learning rate rises, or the same in steps: one of the two. */
  warmup_ratio: z.number().min(0).lt(1).default(0),
  /** Steps in which the learning rate rises; 0: `warmup_ratio` says it. */
  warmup_steps: z.int().min(0).default(0),
  /** Decoupled (AdamW); biases and norms have none. */
  weight_decay: z.number().min(0).default(0),
  /** The share that all classes have in the targets of the training's cross-entropy; `eval_loss` has none of it. */
  label_smoothing_factor: z.number().min(0).lt(1).default(0),
  /**
   * By which the rows of each class count in the training's loss: `balanced` (all classes count alike, as in scikit-learn), or
   * numbers by label, 1 for those left out. `eval_loss` has none of it.
   */
  class_weights: z.union([z.literal('balanced'), z.record(z.string(), z.number().positive())]).optional(),
  /** Global norm to which gradients are clipped; 0: not clipped. */
  max_grad_norm: z.number().min(0).default(1),
  /** Smoothing of AdamW's mean gradient. */
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  /** Smoothing of AdamW's mean squared gradient. */
  adam_beta2: z.number().min(0).lt(1).default(0.999),
  /** What is added to AdamW's divisor. */
  adam_epsilon: z.number().positive().default(1e-8),
  /** Batches of examples of like length. Hugging Face has false. */
  group_by_length: z.boolean().default(true),
  /** When to evaluate. Default: `epoch` if there is `data.validation`, else `no`. */
  eval_strategy: z.enum(['no', 'epoch', 'steps']).optional(),
  /** Steps between evaluations, for `eval_strategy: steps`. */
  eval_steps: count.optional(),
  /** Steps between checkpoints; there is one at the end of every epoch as well. */
  save_steps: count.default(500),
  /** Checkpoints kept, the newest. Hugging Face keeps all. */
  save_total_limit: count.default(2),
  /** Steps between two reports. Hugging Face has 500. */
  logging_steps: count.default(10),
  /** Default: accuracy, pearson (regression), f1 (multi-label) or loss (language models). A leading `eval_` is dropped. */
  metric_for_best_model: given.optional(),
  /** Default: true except for `loss`, `mse`, `mae` and `perplexity`. */
  greater_is_better: z.boolean().optional(),
  /** Whether the run ends with the best model instead of the last. */
  load_best_model_at_end: z.boolean().default(false),
  /** Evaluations in a row without a better metric after which the run ends. */
  early_stopping_patience: count.optional(),
});

/** What may be written in the `training` section. */
export type TrainingInput = z.input<typeof trainingSchema>;

/** What the `training` section says, before defaults that depend on other keys. */
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
