import { z } from 'zod';
import type { TaskType } from '../data/task-type.ts';
import type { Device } from '../runtime/session.ts';
import { UserError } from '../support/user-error.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from '../tuners/adalora/config.ts';
import { type LoraConfig, loraConfigSchema } from '../tuners/lora/config.ts';
import {
  crossCheck,
  defaultEvalStrategy,
  LESS_IS_BETTER,
  METRICS,
  type SoundSections,
  withoutPrefix,
} from './config/cross-checks.ts';
import { describeIssue, type KnownKeys } from './config/describe-issue.ts';
import type { KeyPath } from './config/problem.ts';
import { type DataConfig, dataSchema, type TrainingConfig, trainingSchema } from './config/sections.ts';

const METHODS = ['adalora', 'lora', 'full'] as const;
const TASKS = [
  'single_label_classification',
  'regression',
  'multi_label_classification',
] as const satisfies TaskType[];
const DEVICES = ['cpu', 'webgpu', 'wasm'] as const satisfies Device[];

/** A run, as a YAML file describes it. The sections of methods that are not `method` may stay: they are only checked. */
const schema = z.strictObject({
  /** A folder, or a model id of the Hugging Face Hub. */
  model: z.string().min(1),
  task: z.enum(TASKS).default('single_label_classification'),
  method: z.enum(METHODS).default('adalora'),
  /** The folder of an adapter, or of the run that made it, from whose values training starts. */
  adapter: z.string().min(1).optional(),
  data: dataSchema,
  training: trainingSchema.prefault({}),
  adalora: adaLoraConfigSchema.prefault({}),
  lora: loraConfigSchema.prefault({}),
  /** The run's folder. */
  output: z.string().min(1),
  seed: z.int().min(0).default(0),
  device: z.enum(DEVICES).default('cpu'),
});

/** What may be written: everything that has a default may be left out. */
export type RunConfigInput = z.input<typeof schema>;

/**
 * A run with every default filled in, and the section of its method alone. Where it continues an adapter, that section
 * has only what was given until `continuedConfig` has filled in the rest from the adapter.
 */
export type RunConfig = RunSettings & MethodSettings;

interface RunSettings {
  model: string;
  task: TaskType;
  adapter?: string;
  data: DataConfig;
  training: TrainingConfig;
  output: string;
  seed: number;
  device: Device;
}

type MethodSettings =
  | { method: 'adalora'; adalora: AdaLoraConfig }
  | { method: 'lora'; lora: LoraConfig }
  | { method: 'full' };

const LEARNING_RATES: Readonly<Record<RunConfig['method'], number>> = {
  adalora: 2e-3,
  lora: 5e-4,
  full: 2e-5,
};

const KNOWN_KEYS: KnownKeys = {
  '': Object.keys(schema.shape),
  data: Object.keys(dataSchema.shape),
  training: Object.keys(trainingSchema.shape),
  adalora: Object.keys(adaLoraConfigSchema.shape),
  lora: Object.keys(loraConfigSchema.shape),
};

/**
 * Checks a config and fills in the defaults. A key whose value is null counts as left out. Gives itself back when it
 * is given a resolved config.
 *
 * @param where the file's name for messages, or what tells the place of a key
 * @throws UserError with a line for everything that is wrong: place, what was expected, what came, nearest key
 */
export function parseRunConfig(value: unknown, where: string | ((path: KeyPath) => string)): RunConfig {
  const given = withoutNulls(value);
  const result = schema.safeParse(given);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, given, KNOWN_KEYS)),
    ...crossCheck(soundSections(given)),
  ];
  if (problems.length > 0 || !result.success) {
    const messages = problems.map(({ path, ...complaint }) => {
      const place = typeof where === 'string' ? where : where(path);
      const key = path.length === 0 ? 'the config' : path.join('.');
      return new UserError({ where: `${place}: ${key}`, ...complaint }).message;
    });
    throw new UserError(messages.join('\n'));
  }
  return resolve(result.data, given);
}

function resolve(
  { method, adalora, lora, training, ...run }: z.output<typeof schema>,
  given: unknown,
): RunConfig {
  const metric = withoutPrefix(training.metric_for_best_model ?? METRICS[run.task][0]);
  const settings = {
    ...run,
    training: {
      ...training,
      learning_rate: training.learning_rate ?? LEARNING_RATES[method],
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
function soundSections(value: unknown): SoundSections {
  const { task, method, adapter, data, training } = schema.shape;
  const given = Object(value) as Record<string, unknown>;
  return {
    task: task.safeParse(given.task).data,
    method: method.safeParse(given.method).data,
    adapter: adapter.safeParse(given.adapter).data,
    data: data.safeParse(given.data).data,
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
