import { z } from 'zod';
import { hasWarmup, LR_SCHEDULER_TYPES, RAMPS, scheduleOptions } from '../../../methods/optim/schedule.ts';
import { type MethodName, methodNamed } from '../../../methods/tuners/registry.ts';
import { functionOnly } from '../../../program/objectives/own-function.ts';
import type { LossFunction } from '../../../program/objectives/own-loss.ts';
import { scoreDefinition } from '../../../scores/metrics/scores.ts';
import { shown } from '../../../support/user-error.ts';
import { foldCount, scorePrefixes } from '../../../tasks/data-files.ts';
import type { BaseData } from '../../../tasks/prediction.ts';
import { listMetrics, type TaskName, taskNamed } from '../../../tasks/registry.ts';
import {
  type ChoiceInputs,
  chooseEpochs,
  measureWidth,
  ROWS_PER_STEP,
  usualRate,
} from './defaults/policy.ts';

/** One key of a config. All that depends on a single key reads its entry. Its comment is its documentation. */
export interface Key<Inputs = RuleInputs> {
  schema: z.ZodType;
  /** `none`: does not change what a run learns. Runs that differ only in such keys are equal. */
  effect?: 'none';
  /** Keys that need evaluations during the training, and keys that need a classification head in the graph. */
  needs?: 'evaluations' | 'head';
  /** The final value: the given one, or a default that other keys decide. */
  complete?(run: Completed): unknown;
  /** A default that the rows and the model decide. */
  chosen?: ChosenKey;
  /** Rules between the key and other keys. */
  rules?(config: Inputs): KeyRule[];
}

/** The `fault` is the predicate of a sentence about the key, or about an `option` in its section. */
export type KeyRule = readonly [isBroken: unknown, fault: string, hint?: string, option?: string];

interface ChosenKey {
  /** Whether other keys already decide it. */
  isSettled?(run: Completed): boolean;
  /** The value. Without it, the rows decide before their number is final (`chooseScoring`). */
  value?(facts: ChoiceInputs): unknown;
  /** The facts that the value is based on. Default: the method. */
  reason?(facts: ChoiceInputs): string;
}

/** The keys of `training`, and the parts of a config that their rules read. A section with an error is missing. */
interface RuleInputs extends z.output<typeof trainingSchema> {
  task?: TaskName | undefined;
  data?: BaseData | undefined;
  defaults?: 'chosen' | 'huggingface' | undefined;
  /** Names of custom scores. */
  ownMetrics: readonly string[];
}

/** The same of a config without errors. */
interface Completed extends RuleInputs {
  task: TaskName;
  data: BaseData;
  method: MethodName;
}

export type Schemas<Keys> = {
  -readonly [Name in keyof Keys]: Keys[Name] extends { schema: infer Schema } ? Schema : never;
};

export function pickSchemas<Keys extends Readonly<Record<string, { schema: z.ZodType }>>>(
  keys: Keys,
): Schemas<Keys> {
  return Object.fromEntries(
    Object.entries(keys).map(([name, { schema }]) => [name, schema]),
  ) as Schemas<Keys>;
}

const count = z.int().min(1);

/*
 * Names, meanings and defaults of Hugging Face's `TrainingArguments`, unless a comment says otherwise. The type of
 * `training` is inferred from this table, so a function names its whole parameter and its result.
 */
const KEYS = {
  /** Peak learning rate. With `defaults: huggingface`: 2e-3 for adalora, 5e-4 for lora, 2e-5 for full. */
  learning_rate: {
    schema: z.number().positive().optional(),
    complete: (run: Completed): number => run.learning_rate ?? methodNamed(run.method).learningRate,
    chosen: {
      value: usualRate,
      reason: ({ method, rows, model }: ChoiceInputs): string =>
        `${methodNamed(method).words.title}, ${countRows(rows)}, width ${measureWidth(model.linears)}`,
    },
  },
  /** Number of epochs. May be a fraction. */
  num_train_epochs: {
    schema: z.number().positive().default(3),
    chosen: {
      isSettled: (run: Completed): boolean => run.max_steps > 0,
      value: chooseEpochs,
      reason: ({ rows, tokens }: ChoiceInputs): string =>
        `${countRows(rows)} of about ${Math.round(tokens)} tokens`,
    },
  },
  /** Total number of optimizer steps. Overrides `num_train_epochs`. -1: not set. */
  max_steps: {
    schema: z
      .int()
      .refine((steps) => steps === -1 || steps >= 1, {
        error: 'expected at least 1, or -1 to use num_train_epochs',
      })
      .default(-1),
  },
  /**
   * Step after which the run stops, or a share of the run such as `25%`. The schedule remains that of the whole run. To
   * continue, use `--resume` with a later step or without this key.
   */
  stop_at_step: {
    schema: z
      .union([count, z.string().regex(/^(100|\d{1,2}(\.\d+)?)%$/)], {
        error: 'expected a whole number from 1, or a share such as 25%',
      })
      .optional(),
    effect: 'none',
  },
  /** Examples per batch. With `defaults: huggingface`: 32, or 8 for language models. */
  per_device_train_batch_size: {
    schema: count.optional(),
    complete: (run: Completed): number =>
      run.per_device_train_batch_size ?? taskNamed(run.task).training.batchSize.train,
    chosen: {
      value: ({ task }: ChoiceInputs): number => {
        const { keepsHead, batchSize } = taskNamed(task).training;
        return keepsHead ? batchSize.train : ROWS_PER_STEP;
      },
      reason: ({ rows }: ChoiceInputs): string => countRows(rows),
    },
  },
  /** Maximum number of examples of an evaluation batch; long ones get smaller batches. Default: 64, or 8 for language models. Results do not depend on it. */
  per_device_eval_batch_size: {
    schema: count.optional(),
    complete: (run: Completed): number =>
      run.per_device_eval_batch_size ?? taskNamed(run.task).training.batchSize.eval,
  },
  /** Batches per optimizer step. */
  gradient_accumulation_steps: { schema: count.default(1) },
  /** Recompute activations in the backward pass. Needs less memory and more time. The results are the same. */
  gradient_checkpointing: { schema: z.boolean().default(false), effect: 'none' },
  /** Learning rate schedule after the warm-up. For your own, set `constant` and return `learning_rate` from `onStepEnd`. */
  lr_scheduler_type: {
    schema: z.enum(LR_SCHEDULER_TYPES).default('linear'),
    rules: (run: RuleInputs): KeyRule[] => [
      [
        !hasWarmup(run.lr_scheduler_type) && run.warmup_ratio + run.warmup_steps > 0,
        `is ${run.lr_scheduler_type}, which has no warm-up`,
        `${run.lr_scheduler_type === 'constant' ? 'Use constant_with_warmup, or remove' : 'Remove'} warmup_ratio and warmup_steps.`,
      ],
    ],
  },
  /** Options of the schedule, by transformers' names, such as `num_decay_steps`. */
  lr_scheduler_kwargs: {
    schema: z
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
    rules: (run: RuleInputs): KeyRule[] => {
      const { lr_scheduler_type: type, lr_scheduler_kwargs: options = {} } = run;
      const known: readonly string[] = scheduleOptions(type);
      const only = known.length > 0 ? `It has ${known.join(', ')}.` : 'Remove it.';
      return [
        ...Object.keys(options).map(
          (key): KeyRule => [!known.includes(key), `is not an option of ${type}`, only, key],
        ),
        [
          type === 'warmup_stable_decay' && options.num_decay_steps === undefined,
          `is required with ${type}`,
          'Set the number of steps of the decay.',
          'num_decay_steps',
        ],
      ];
    },
  },
  /** Warm-up as a share of the run. Set this or `warmup_steps`. */
  warmup_ratio: {
    schema: z.number().min(0).lt(1).default(0),
    chosen: {
      isSettled: (run: Completed): boolean => run.warmup_steps > 0 || run.lr_scheduler_type === 'constant',
      value: (): number => 0.06,
    },
  },
  /** Warm-up in steps. 0: use `warmup_ratio`. */
  warmup_steps: {
    schema: z.int().min(0).default(0),
    rules: (run: RuleInputs): KeyRule[] => [
      [
        run.warmup_ratio > 0 && run.warmup_steps > 0,
        `(${run.warmup_steps}) cannot be combined with warmup_ratio (${run.warmup_ratio})`,
        'Remove one of them.',
      ],
    ],
  },
  /** Decoupled weight decay (AdamW). Biases and norms are exempt. */
  weight_decay: { schema: z.number().min(0).default(0) },
  /** Label smoothing of the training loss. `eval_loss` is not smoothed. */
  label_smoothing_factor: {
    schema: z.number().min(0).lt(1).default(0),
    needs: 'head',
    rules: (run: RuleInputs): KeyRule[] => [
      [
        run.task && run.label_smoothing_factor > 0 && !taskNamed(run.task).training.smoothsLabels,
        `must be 0 for task ${run.task}, because its loss has no labels to smooth`,
      ],
      replacedBy(run.compute_loss_func, run.label_smoothing_factor),
    ],
  },
  /**
   * Weights of the classes in the training loss: `balanced` as in scikit-learn, or a number per label (default 1).
   * `eval_loss` is not weighted.
   */
  class_weights: {
    schema: z.union([z.literal('balanced'), z.record(z.string(), z.number().positive())]).optional(),
    rules: (run: RuleInputs): KeyRule[] => [
      [
        run.class_weights && run.task && !taskNamed(run.task).classes?.counts,
        `does not apply to task ${run.task}, because its loss has no classes to weight`,
        'Remove it.',
      ],
      replacedBy(run.compute_loss_func, run.class_weights),
    ],
  },
  /**
   * A function of your program that replaces the task's loss. It gets logits, labels and the operations of a graph.
   * `eval_loss` remains the task's loss.
   */
  compute_loss_func: { schema: functionOnly<LossFunction>().optional(), needs: 'head' },
  /** Maximum global norm of the gradient. 0: no clipping. */
  max_grad_norm: { schema: z.number().min(0).default(1) },
  /** AdamW's beta1, for the mean of the gradient. */
  adam_beta1: { schema: z.number().min(0).lt(1).default(0.9) },
  /** AdamW's beta2, for the mean of the squared gradient. */
  adam_beta2: { schema: z.number().min(0).lt(1).default(0.999) },
  /** AdamW's epsilon. */
  adam_epsilon: { schema: z.number().positive().default(1e-8) },
  /** Group examples of similar length into batches. Hugging Face's default is false. */
  group_by_length: { schema: z.boolean().default(true) },
  /** When to evaluate. Default: `epoch` with a validation set, `no` without. */
  eval_strategy: {
    schema: z.enum(['no', 'epoch', 'steps']).optional(),
    effect: 'none',
    needs: 'evaluations',
    complete: (run: Completed): string => run.eval_strategy ?? usualStrategy(run.data),
    chosen: {
      isSettled: (run: Completed): boolean =>
        run.data.validation !== undefined || taskNamed(run.task).files.countRows === undefined,
    },
    rules: (run: RuleInputs): KeyRule[] => [
      [
        run.eval_strategy !== 'no' && run.eval_strategy && usualIn(run) === 'no',
        `is ${run.eval_strategy}, but there is no data.validation to evaluate on`,
        'Set data.validation, or set eval_strategy to no.',
      ],
    ],
  },
  /** Steps between evaluations, with `eval_strategy: steps`. */
  eval_steps: {
    schema: count.optional(),
    effect: 'none',
    rules: (run: RuleInputs): KeyRule[] => [
      [
        run.data && run.eval_strategy === 'steps' && run.eval_steps === undefined,
        'is required with eval_strategy: steps',
        'Set the number of steps between evaluations.',
      ],
      [
        run.eval_steps !== undefined && (run.eval_strategy ?? usualIn(run)) === 'epoch',
        'requires eval_strategy: steps, got epoch',
        'Set eval_strategy to steps, or remove eval_steps.',
      ],
    ],
  },
  /** Steps between checkpoints. Every epoch also ends with one. */
  save_steps: { schema: count.default(500), effect: 'none' },
  /** Number of newest checkpoints to keep. Hugging Face keeps all. */
  save_total_limit: { schema: count.default(2), effect: 'none' },
  /** Steps between two log entries. Hugging Face's default is 500. */
  logging_steps: { schema: count.default(10), effect: 'none' },
  /**
   * `all`: the run's folder gets `importance.f32`, with the importance of every component of every adapted matrix at
   * each allocation of ranks.
   */
  log_importance: { schema: z.enum(['none', 'all']).optional(), effect: 'none' },
  /**
   * `tensorboard`: write event files in `tensorboard/` of the run's folder. For other programs, see
   * docs/metrics.md. Default: none.
   */
  report_to: { schema: z.literal('tensorboard').optional(), effect: 'none' },
  /** Score that selects the best model. Default: the task's main score. A leading `eval_` is ignored. */
  metric_for_best_model: {
    schema: z.string().min(1).optional(),
    complete: (run: Completed): string => {
      const scores: readonly string[] = [...listMetrics(run.task, run.data), ...run.ownMetrics];
      const metric = withoutPrefix(run.metric_for_best_model ?? scores[0]!);
      // With several sets, a score without a set is the first set's.
      return scores.includes(metric) ? scorePrefixes(run.data.validation)[0] + metric : metric;
    },
    rules: (run: RuleInputs): KeyRule[] => {
      const { metric_for_best_model: metric, task, data, ownMetrics } = run;
      if (!task || metric === undefined) return [];
      const scores = [...listMetrics(task, data), ...ownMetrics];
      const metrics = scorePrefixes(data?.validation).flatMap((set) => scores.map((score) => set + score));
      return [
        [
          ![...scores, ...metrics].includes(withoutPrefix(metric)),
          `must be a metric of ${task} (${metrics.join(', ')}), got ${shown(metric)}`,
        ],
      ];
    },
  },
  /** Whether a higher score is better. Default: true, except for losses and errors. */
  greater_is_better: {
    schema: z.boolean().optional(),
    complete: (run: Completed): boolean => {
      const { metric_for_best_model: metric = '', greater_is_better: given } = run;
      // A custom score `my_loss` is not the loss of a set `my`.
      const isOwn = scorePrefixes(run.data.validation).some((set) =>
        run.ownMetrics.some((name) => set + name === metric),
      );
      return given ?? (isOwn || !scoreDefinition(metric)?.lessIsBetter);
    },
  },
  /** Keep the best model at the end instead of the last. */
  load_best_model_at_end: {
    schema: z.boolean().default(false),
    needs: 'evaluations',
    rules: (run: RuleInputs): KeyRule[] => [needsEvaluations(run, 'load_best_model_at_end')],
  },
  /**
   * End with a linear probe of the frozen model, or with a constant such as the majority class, if that is better than the
   * fine-tuned model by more than a standard error. Embeddings and transcripts: end with the model before training if fine-tuning is no
   * better. For labeled texts, tags, embeddings and transcripts with rows to judge by. Labels and tags need a single validation set.
   * Default: true if the result is saved in the same kind of files (sentence vectors, tags, embeddings, transcripts), unless
   * `class_weights` or `load_best_model_at_end` is set. Probabilities are calibrated unless one of them is set or `floor` is
   * `false`.
   */
  floor: {
    schema: z.boolean().optional(),
    rules: (run: RuleInputs): KeyRule[] => [
      [
        run.floor && run.task && !judgesRows(run.task) && !taskNamed(run.task).training.mayKeepStart,
        `does not apply to task ${run.task}, because its rows are not scored one by one`,
        'Remove it.',
      ],
    ],
  },
  /** Stop after this many evaluations without a better score. */
  early_stopping_patience: {
    schema: count.optional(),
    needs: 'evaluations',
    rules: (run: RuleInputs): KeyRule[] => [needsEvaluations(run, 'early_stopping_patience')],
  },
} as const;

export const trainingSchema = z.strictObject(pickSchemas(KEYS));

/** The keys of `training`. */
export const TRAINING_KEYS: Readonly<Record<string, Key>> = KEYS;

type KeysWith<Fact extends keyof Key> = {
  [Name in keyof typeof KEYS]: Fact extends keyof (typeof KEYS)[Name] ? Name : never;
}[keyof typeof KEYS];

/** The keys that the policy chooses. */
export const CHOSEN_TRAINING = Object.entries(TRAINING_KEYS).flatMap(([name, { chosen }]) =>
  chosen ? [name as KeysWith<'chosen'>] : [],
);

/** The `training` section as written by a user. */
export type TrainingInput = z.input<typeof trainingSchema>;

/** The `training` section before defaults that depend on other keys are filled in. */
export type TrainingSection = z.output<typeof trainingSchema>;

/** The `training` section with every default filled in. */
export type TrainingConfig = Omit<TrainingSection, KeysWith<'complete'>> &
  Required<Pick<TrainingSection, KeysWith<'complete'>>>;

/** A `training` section without the values that are chosen later. */
export type ParsedTraining = Omit<TrainingConfig, KeysWith<'chosen'>> &
  Partial<Pick<TrainingConfig, KeysWith<'chosen'>>>;

/** When a run is evaluated if the config does not say: rows to validate on are files or are held out. */
export function usualStrategy(
  { validation }: Pick<BaseData, 'validation'>,
  holdsOut = false,
): 'epoch' | 'no' {
  return foldCount(validation) === undefined && (validation !== undefined || holdsOut) ? 'epoch' : 'no';
}

function usualIn({ data, task, defaults = 'chosen' }: RuleInputs): 'epoch' | 'no' | undefined {
  const mayHoldOut = defaults === 'chosen' && task && taskNamed(task).files.countRows !== undefined;
  return data && usualStrategy(data, mayHoldOut);
}

/** Whether the rows of a task are scored one by one. */
export function judgesRows(task: TaskName): boolean {
  const { probing, comparesRows } = taskNamed(task).training;
  return probing !== undefined || comparesRows === true;
}

function needsEvaluations(
  run: RuleInputs,
  key: 'load_best_model_at_end' | 'early_stopping_patience',
): KeyRule {
  const { eval_strategy: given } = run;
  return [
    run[key] && (given ?? usualIn(run)) === 'no',
    `requires evaluations, but ${given ? 'eval_strategy is no' : 'there is no data.validation'}`,
    `${given ? 'Set eval_strategy to epoch' : 'Set data.validation'}, or remove ${key}.`,
  ];
}

/** An option of the task's loss has no effect if a custom loss replaces it. */
function replacedBy(own: unknown, value: unknown): KeyRule {
  return [own && value, 'does not apply to compute_loss_func', 'Remove one of them.'];
}

function withoutPrefix(metric: string): string {
  return metric.replace(/^eval_/, '');
}

function countRows(rows: number): string {
  return `${rows.toLocaleString('en')} rows`;
}
