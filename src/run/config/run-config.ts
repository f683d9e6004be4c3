import { z } from 'zod';
import { EMBEDDED_MODEL } from '../../data/hub/embedded-model.ts';
import type { TaskName, TaskType } from '../../data/task-type.ts';
import type { Device } from '../../runtime/session.ts';
import { UserError } from '../../support/user-error.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from '../../tuners/adalora/config.ts';
import { type LoraConfig, loraConfigSchema } from '../../tuners/lora/config.ts';
import { BASE_DTYPES, type BaseDtype } from '../../bases/base-dtype.ts';
import { crossCheck, defaultEvalStrategy, type SoundSections, withoutPrefix } from './cross-checks.ts';
import type { causalDataSchema, maskedDataSchema, sequenceDataSchema } from './data-sections.ts';
import { describeIssue, type KnownKeys } from './describe-issue.ts';
import type { KeyPath } from '../../support/problem.ts';
import { type TrainingConfig, trainingSchema } from './training-section.ts';
import { type DataOf, LESS_IS_BETTER, TASK_NAMES, TASK_SETTINGS } from './task-settings.ts';

const METHODS = ['adalora', 'lora', 'full'] as const;
const DEVICES = ['cpu', 'webgpu', 'wasm'] as const satisfies Device[];

/** A run, as a YAML file describes it. The sections of methods that are not `method` may stay: they are only checked. */
const schema = z.strictObject({
  /** A folder, or a model id of the Hugging Face Hub. Default: the model that comes with this package. */
  model: z.string().min(1).default(EMBEDDED_MODEL),
  /** `random`: begin with new weights, of the shape that config.json tells, and not with the checkpoint's. */
  model_init: z.enum(['checkpoint', 'random']).default('checkpoint'),
  /** How the frozen linear weights are kept; see {@link BASE_DTYPES}. */
  base_dtype: z.enum(BASE_DTYPES).default('float32'),
  task: z.enum(TASK_NAMES).default('single_label_classification'),
  method: z.enum(METHODS).default('adalora'),
  /** The folder of an adapter, or of the run that made it, from whose values training starts. */
  adapter: z.string().min(1).optional(),
  /** By task: see {@link TASK_SETTINGS}. */
  data: z.object({}).loose(),
  training: trainingSchema.prefault({}),
  adalora: adaLoraConfigSchema.prefault({}),
  lora: loraConfigSchema.prefault({}),
  /** The run's folder. */
  output: z.string().min(1),
  seed: z.int().min(0).default(0),
  device: z.enum(DEVICES).default('cpu'),
});

/** What may be written: everything that has a default may be left out. */
export type RunConfigInput = Omit<z.input<typeof schema>, 'task' | 'data'> & TaskInput;

type TaskInput =
  | { task?: TaskType; data: z.input<typeof sequenceDataSchema> }
  | { task: 'causal_lm'; data: z.input<typeof causalDataSchema> }
  | { task: 'masked_lm'; data: z.input<typeof maskedDataSchema> };

/**
 * A run with every default filled in, and the section of its method alone. Where it continues an adapter, that section
 * has only what was given until `continuedConfig` has filled in the rest from the adapter.
 */
export type RunConfig = RunSettings & TaskSection & MethodSettings;

interface RunSettings {
  model: string;
  model_init: 'checkpoint' | 'random';
  base_dtype: BaseDtype;
  adapter?: string;
  training: TrainingConfig;
  output: string;
  seed: number;
  device: Device;
}

/** The task and its `data` section. */
type TaskSection = { [Task in TaskName]: { task: Task; data: DataOf[Task] } }[TaskName];

type MethodSettings =
  | { method: 'adalora'; adalora: AdaLoraConfig }
  | { method: 'lora'; lora: LoraConfig }
  | { method: 'full' };

const LEARNING_RATES: Readonly<Record<RunConfig['method'], number>> = {
  adalora: 2e-3,
  lora: 5e-4,
  full: 2e-5,
};

/** The keys of every section; those of `data` by the task, of which a wrong one tells nothing. */
function knownKeys(task: TaskName | undefined): KnownKeys {
  return {
    '': Object.keys(schema.shape),
    ...(task && { data: Object.keys(TASK_SETTINGS[task].data.shape) }),
    training: Object.keys(trainingSchema.shape),
    adalora: Object.keys(adaLoraConfigSchema.shape),
    lora: Object.keys(loraConfigSchema.shape),
  };
}

/**
 * Checks a config and fills in the defaults. A key whose value is null counts as left out. Gives itself back when it
 * is given a resolved config.
 *
 * @param where the file's name for messages, or what tells the place of a key
 * @throws UserError with a line for everything that is wrong: place, what was expected, what came, nearest key
 */
export function parseRunConfig(value: unknown, where: string | ((path: KeyPath) => string)): RunConfig {
  const given = withoutNulls(value);
  const task = schema.shape.task.safeParse(Object(given).task).data;
  const result = (task ? schema.extend({ data: TASK_SETTINGS[task].data }) : schema).safeParse(given);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, given, knownKeys(task))),
    ...crossCheck(soundSections(given, task)),
  ];
  if (problems.length > 0 || !result.success) {
    const messages = problems.map(({ path, ...complaint }) => {
      const place = typeof where === 'string' ? where : where(path);
      const key = path.length === 0 ? 'the config' : path.join('.');
      return new UserError({ where: `${place}: ${key}`, ...complaint }).message;
    });
    throw new UserError(messages.join('\n'));
  }
  return resolve(result.data as Checked, given);
}

/** What the schema lets through, with the `data` section of its task. */
type Checked = Omit<z.output<typeof schema>, 'task' | 'data'> & TaskSection;

function resolve({ method, adalora, lora, training, ...run }: Checked, given: unknown): RunConfig {
  const { metrics, batchSize } = TASK_SETTINGS[run.task];
  const metric = withoutPrefix(training.metric_for_best_model ?? metrics[0]);
  const settings = {
    ...run,
    training: {
      ...training,
      learning_rate: training.learning_rate ?? LEARNING_RATES[method],
      per_device_train_batch_size: training.per_device_train_batch_size ?? batchSize.train,
      per_device_eval_batch_size: training.per_device_eval_batch_size ?? batchSize.eval,
      eval_strategy: training.eval_strategy ?? defaultEvalStrategy(run.data),
      metric_for_best_model: metric,
      greater_is_better: training.greater_is_better ?? !LESS_IS_BETTER.includes(metric),
    },
  };
  const sectionOf = <T extends object>(name: string, section: T): T =>
    run.adapter === undefined ? section : onlyGiven(section, (given as Record<string, object>)[name]);
  switch (method) {
    case 'adalora':
      return { ...settings, method, adalora: sectionOf(method, adalora) };
    case 'lora':
      return { ...settings, method, lora: sectionOf(method, lora) };
    case 'full':
      return { ...settings, method };
  }
}

function onlyGiven<T extends object>(section: T, given: object = {}): T {
  return Object.fromEntries(
    Object.entries(section).filter(([key]) => (given as Record<string, unknown>)[key] !== undefined),
  ) as T;
}

/** The sections in which nothing is wrong, so that one mistake does not hide those between other sections. */
function soundSections(value: unknown, task: TaskName | undefined): SoundSections {
  const { model_init, base_dtype, method, adapter, training } = schema.shape;
  const given = Object(value) as Record<string, unknown>;
  return {
    task,
    model_init: model_init.safeParse(given.model_init).data,
    base_dtype: base_dtype.safeParse(given.base_dtype).data,
    method: method.safeParse(given.method).data,
    adapter: adapter.safeParse(given.adapter).data,
    data: task && TASK_SETTINGS[task].data.safeParse(given.data).data,
    training: training.safeParse(given.training).data,
  };
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}
