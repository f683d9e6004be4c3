import { z } from 'zod';
import { BASE_DTYPES, type BaseDtype } from '../../bases/base-dtype.ts';
import { EMBEDDED_MODEL } from '../../data/hub/embedded-model.ts';
import { scoreFacts } from '../../metrics/scores.ts';
import type { Device } from '../../runtime/session.ts';
import { type KeyPath, valueAt } from '../../support/problem.ts';
import { UserError } from '../../support/user-error.ts';
import { dataFiles, scorePrefixes, withSplits } from '../../tasks/data-files.ts';
import {
  type DataInputOf,
  type DataOf,
  DEFAULT_TASK,
  metricsOf,
  TASK_NAMES,
  TASKS,
  type TaskName,
  taskNamed,
} from '../../tasks/registry.ts';
import type { BaseData } from '../../tasks/task-definition.ts';
import {
  type AnyMethod,
  DEFAULT_METHOD,
  METHOD_NAMES,
  type MethodName,
  methodNamed,
  type SectionInputs,
  type Sections,
} from '../../tuners/registry.ts';
import { ConfigError, type SoundParts } from './config-error.ts';
import { crossCheck, defaultEvalStrategy, type SoundSections, withoutPrefix } from './cross-checks.ts';
import { describeIssue, type KnownKeys } from './describe-issue.ts';
import { type TrainingConfig, trainingSchema } from './training-section.ts';

const DEVICES = ['cpu', 'webgpu', 'wasm'] as const satisfies Device[];

/** The sections of all methods: those of methods that are not `method` may stay, they are only checked. */
const methodSections = Object.fromEntries(
  METHOD_NAMES.flatMap((name) => {
    const section = methodNamed(name).config?.prefault({});
    return section ? [[name, section]] : [];
  }),
) as unknown as { [Name in keyof Sections]: z.ZodType<Sections[Name], SectionInputs[Name] | undefined> };

/** What every `data` section has, whatever else is in it. */
const dataFilesSchema = z.object(dataFiles);

/** A run, as a YAML file describes it; what the keys mean stands with {@link CommonInput}. */
const schema = z.strictObject({
  model: z.string().min(1).default(EMBEDDED_MODEL),
  model_init: z.enum(['checkpoint', 'random']).default('checkpoint'),
  model_config: z.record(z.string(), z.json()).optional(),
  base_dtype: z.enum(BASE_DTYPES).default('float32'),
  task: z.enum(TASK_NAMES).default(DEFAULT_TASK),
  method: z.enum(METHOD_NAMES).default(DEFAULT_METHOD),
  adapter: z.string().min(1).optional(),
  data: z.object({}).loose(),
  training: trainingSchema.prefault({}),
  ...methodSections,
  output: z.string().min(1),
  seed: z.int().min(0).default(0),
  device: z.enum(DEVICES).default('cpu'),
});

/** What editors tell of the keys that no task and no method has for itself. */
interface CommonInput {
  /** A folder, or a model id of the Hugging Face Hub. Default: the model that comes with this package. */
  model?: string;
  /** `random`: begin with new weights, of the shape that config.json tells, and not with the checkpoint's. */
  model_init?: 'checkpoint' | 'random';
  /** Fields of the model's config.json to replace, such as `cls_dropout`. */
  model_config?: Record<string, unknown>;
  /** How the frozen linear weights are kept: as they are, or as integers of 8 or 4 bits. */
  base_dtype?: BaseDtype;
  /** What is trained, and how; its settings are the section of that name. */
  method?: MethodName;
  /** The folder of an adapter, or of the run that made it, from whose values training starts. */
  adapter?: string;
  /** By the names of Hugging Face's TrainingArguments. */
  training?: z.input<typeof trainingSchema>;
  /** The run's folder. */
  output: string;
  /** Decides initial values, the order of examples, and dropout. */
  seed?: number;
  /** What computes: the processor, a GPU, or WebAssembly. */
  device?: Device;
}

type TaskInput =
  | {
      [Task in TaskName]: {
        /** What is learnt. Default: one class a text. */
        task: Task;
        /** The files, their columns, and how they are read, by task. */
        data: DataInputOf[Task];
      };
    }[TaskName]
  | { task?: undefined; data: DataInputOf[typeof DEFAULT_TASK] };

/** What may be written: everything that has a default may be left out. */
export type RunConfigInput = CommonInput & TaskInput & Partial<SectionInputs>;

/**
 * A run with every default filled in, and the section of its method alone. Where it continues an adapter, that section
 * has only what was given until `continuedConfig` has filled in the rest from the adapter.
 */
export type RunConfig = RunSettings & TaskSection & Partial<Sections>;

interface RunSettings {
  model: string;
  model_init: 'checkpoint' | 'random';
  model_config?: Record<string, unknown>;
  base_dtype: BaseDtype;
  method: MethodName;
  adapter?: string;
  training: TrainingConfig;
  output: string;
  seed: number;
  device: Device;
}

/** The task and its `data` section. */
type TaskSection = { [Task in TaskName]: { task: Task; data: DataOf[Task] } }[TaskName];

/** A config's method, and its settings. */
export function methodOf(config: Pick<RunConfig, 'method'> & Partial<Sections>): {
  definition: AnyMethod;
  settings: Record<string, unknown>;
} {
  const sections: Partial<Record<MethodName, object>> = config;
  return {
    definition: methodNamed(config.method),
    settings: { ...sections[config.method] },
  };
}

/** The keys of every section; those of `data` by the task, of which a wrong one tells nothing. */
function knownKeys(task: TaskName | undefined): KnownKeys {
  const sections = METHOD_NAMES.flatMap((name) => {
    const { config } = methodNamed(name);
    return config ? [[name, Object.keys(config.shape)]] : [];
  });
  return {
    '': Object.keys(schema.shape),
    ...(task && dataKeys(TASKS[task].data.shape)),
    training: Object.keys(trainingSchema.shape),
    ...Object.fromEntries(sections),
  };
}

/** The keys of a `data` section, and of sections in it. */
function dataKeys(shape: Readonly<Record<string, z.ZodType>>): KnownKeys {
  const sections = Object.entries(shape).flatMap(([key, schema]) => {
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    return inner instanceof z.ZodObject ? [[`data.${key}`, Object.keys(inner.shape)] as const] : [];
  });
  return { data: Object.keys(shape), ...Object.fromEntries(sections) };
}

/**
 * Checks a config and fills in the defaults. A known key whose value is null counts as left out. Gives itself back when it
 * is given a resolved config.
 *
 * @param where the file's name for messages, or what tells the place of a key
 * @param ownMetrics names of scores of the caller's own, by which the best model may be chosen
 * @throws ConfigError, a UserError with a line for everything that is wrong: place, what was expected, what came, nearest key
 */
export function parseRunConfig(
  value: unknown,
  where: string | ((path: KeyPath) => string),
  ownMetrics: readonly string[] = [],
): RunConfig {
  const given = withoutNulls(value);
  const task = schema.shape.task.safeParse(Object(given).task).data;
  const checked = task ? schema.extend({ data: taskNamed(task).data }) : schema;
  const result = checked.safeParse(given);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, given, knownKeys(task))),
    ...unknownNulls(value, checked).flatMap((issue) => describeIssue(issue, value, knownKeys(task))),
    ...crossCheck(soundSections(given, task), ownMetrics),
  ];
  if (problems.length > 0 || !result.success) {
    const messages = problems.map(({ path, ...complaint }) => {
      const place = typeof where === 'string' ? where : where(path);
      const key = path.length === 0 ? 'the config' : path.join('.');
      return new UserError({ where: `${place}: ${key}`, ...complaint }).message;
    });
    throw new ConfigError(messages.join('\n'), soundParts(given, task));
  }
  return resolve(result.data as Checked, given, ownMetrics);
}

/** The unknown keys that go with what is left out, as their values are null: `{target_r:8}` is one of them in YAML. */
function unknownNulls(value: unknown, checked: z.ZodType): z.core.$ZodIssueUnrecognizedKeys[] {
  const unknown = checked.safeParse(value).error?.issues ?? [];
  return unknown.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    const section = Object(valueAt(value, issue.path)) as Record<string, unknown>;
    return [{ ...issue, keys: issue.keys.filter((key) => section[key] === null) }];
  });
}

/** What the schema lets through, with the `data` section of its task. */
type Checked = Omit<z.output<typeof schema>, 'task' | 'data'> & TaskSection;

function resolve(sound: Checked, given: unknown, ownMetrics: readonly string[]): RunConfig {
  const data = withSplits<BaseData>(sound.data, sound.training.eval_strategy !== 'no');
  const checked = { ...sound, data } as Checked;
  const { method, training } = checked;
  const { batchSize } = taskNamed(checked.task);
  const [firstMetric] = metricsOf(checked.task, checked.data);
  const metric = withSet(withoutPrefix(training.metric_for_best_model ?? firstMetric), checked, ownMetrics);
  // `my_loss` is not the loss of a set `my`.
  const isOwn = scorePrefixes(data.validation).some((set) =>
    ownMetrics.some((name) => set + name === metric),
  );
  const sections: Record<string, unknown> = checked;
  const others: string[] = METHOD_NAMES.filter((name) => name in sections);
  const run = Object.fromEntries(
    Object.entries(sections).filter(([key]) => ![...others, 'training', 'method'].includes(key)),
  );
  const own = sections[method] as object | undefined;
  const settings =
    checked.adapter === undefined || !own ? own : onlyGiven(own, (given as Record<string, object>)[method]);
  return {
    ...run,
    training: {
      ...training,
      learning_rate: training.learning_rate ?? methodNamed(method).learningRate,
      per_device_train_batch_size: training.per_device_train_batch_size ?? batchSize.train,
      per_device_eval_batch_size: training.per_device_eval_batch_size ?? batchSize.eval,
      eval_strategy: training.eval_strategy ?? defaultEvalStrategy(checked.data),
      metric_for_best_model: metric,
      greater_is_better: training.greater_is_better ?? (isOwn || !scoreFacts(metric)?.lessIsBetter),
    },
    method,
    ...(settings && { [method]: settings }),
  } as RunConfig;
}

/** A score of the first validation set where no other is named. */
function withSet(metric: string, { task, data }: TaskSection, ownMetrics: readonly string[]): string {
  const [first] = scorePrefixes(data.validation);
  const scores: readonly string[] = [...metricsOf(task, data), ...ownMetrics];
  return scores.includes(metric) ? first + metric : metric;
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
    data: task && dataOf(task, given),
    training: training.safeParse(given.training).data,
  };
}

/** What of a config leads to files, and what has to fit them. */
function soundParts(value: unknown, task: TaskName | undefined): SoundParts {
  const { model, model_config } = schema.shape;
  const given = Object(value) as Record<string, unknown>;
  const { method, adapter } = soundSections(given, task);
  // A key that is unknown keeps nobody from reading the files.
  const whole = task && (taskNamed(task).data.strip().safeParse(given.data).data as BaseData | undefined);
  const data = whole ?? dataFilesSchema.safeParse(given.data).data;
  const steps = trainingSchema.shape.max_steps.safeParse(Object(given.training).max_steps).data ?? -1;
  return {
    model: model.safeParse(given.model).data,
    model_config: model_config.safeParse(given.model_config).data,
    adapter,
    task,
    data,
    readsData: whole !== undefined,
    method,
    settings: method && methodNamed(method).config?.prefault({}).safeParse(given[method]).data,
    steps: steps > 0 ? steps : undefined,
  };
}

function dataOf(task: TaskName, { data, training }: Record<string, unknown>): BaseData | undefined {
  const sound = taskNamed(task).data.safeParse(data).data as BaseData | undefined;
  return sound && withSplits(sound, Object(training).eval_strategy !== 'no');
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}
