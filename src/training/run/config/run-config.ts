import { z } from 'zod';
import type { Device } from '../../../engine/runtime/session.ts';
import type { RowSource } from '../../../input/data/rows.ts';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import type { DefinedMethods } from '../../../methods/tuners/method-definition.ts';
import {
  DEFAULT_METHOD,
  METHOD_NAMES,
  type MethodName,
  methodNamed,
  type SectionInputs,
  type Sections,
} from '../../../methods/tuners/registry.ts';
import { BASE_DTYPES } from '../../../program/bases/base-dtype.ts';
import type { OwnMetrics } from '../../../scores/metrics/own-metrics.ts';
import { listed } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import type { DefinedTasks } from '../../../tasks/define-task.ts';
import type { BaseData } from '../../../tasks/prediction.ts';
import {
  type DataInputOf,
  type DataOf,
  DEFAULT_TASK,
  TASK_NAMES,
  type TaskName,
  taskNamed,
} from '../../../tasks/registry.ts';
import {
  type Key,
  type KeyRule,
  type ParsedTraining,
  pickSchemas,
  type Schemas,
  type TrainingConfig,
  type TrainingInput,
  type TrainingSection,
  trainingSchema,
} from './training-section.ts';

/*
 * A config has four types. `RunConfigInput` comes from a file or a program, with rows and functions as values. The
 * schema makes a `ParsedConfig` of it, with all defaults that depend on nothing else; config.yaml of a run has this form.
 * `RunConfig` also has the values that the data and the model decide. `SoundConfig` has the valid parts of a config with
 * errors, so that its data and its model are checked too.
 */

const DEVICES = ['cpu', 'webgpu', 'wasm'] as const satisfies Device[];

/* Keys that are not specific to a task or method. The types of a config are inferred from this table. */
const KEYS = {
  /** Model folder, or model id on the Hugging Face Hub. Default: the built-in small encoder. */
  model: { schema: z.string().min(1).default(EMBEDDED_MODEL) },
  /** `random` trains from new weights instead of those of the checkpoint. */
  model_init: {
    schema: z.enum(['checkpoint', 'random']).default('checkpoint'),
    rules: (config: SoundConfig): KeyRule[] => {
      const { model_init, method } = config;
      return [
        [
          model_init === 'random' && method && methodNamed(method).trains === 'adapter',
          `cannot be random with method ${method}, because the adapter would belong to weights that are not saved`,
          `Set method: ${methodsThat((name) => methodNamed(name).trains === 'model')}.`,
        ],
      ];
    },
  },
  /** Fields that replace those of the model's config.json, such as `cls_dropout`. */
  model_config: { schema: z.record(z.string(), z.json() as z.ZodType<unknown>).optional() },
  /** Type of the frozen linear weights. Integers of 8 or 4 bits need less memory than `float32`. */
  base_dtype: {
    schema: z.enum(BASE_DTYPES).default('float32'),
    rules: (config: SoundConfig): KeyRule[] => {
      const { base_dtype = 'float32', method, settings } = config;
      if (!method) return [];
      const { trains, requiredBase } = methodNamed(method);
      const required = settings && requiredBase?.(settings);
      return [
        [
          required && required.dtype !== base_dtype,
          `must be ${required?.dtype} with ${method}.${required?.key}, got ${base_dtype}`,
          `Set base_dtype: ${required?.dtype}, or another start.`,
        ],
        [
          trains === 'model' && base_dtype !== 'float32',
          `must be float32 with method ${method}, which trains every weight, got ${base_dtype}`,
          `Train an adapter (method: ${methodsThat((name) => methodNamed(name).trains === 'adapter')}), or remove base_dtype.`,
        ],
      ];
    },
  },
  // The names of tasks and methods grow with `defineTask` and `defineMethod`.
  task: {
    get schema() {
      return z.enum(TASK_NAMES).default(DEFAULT_TASK);
    },
  },
  method: {
    get schema() {
      const error = `expected one of ${METHOD_NAMES.join(', ')}, or the path of a file that defines one (my-method.mjs)`;
      return z.enum(METHOD_NAMES, { error }).default(DEFAULT_METHOD);
    },
  },
  /** Folder of an adapter or run. Training continues from its values. */
  adapter: {
    schema: z.string().min(1).optional(),
    rules: (config: SoundConfig): KeyRule[] => {
      const { adapter, method } = config;
      if (adapter === undefined || !method) return [];
      const { continues, kind } = methodNamed(method);
      return [
        [
          !continues,
          `requires method ${methodsThat((name) => methodNamed(name).continues !== undefined)}, got ${method}`,
          kind?.unmergeable === undefined
            ? 'Merge the adapter (adalora export --as merged) and set model to the result.'
            : 'Such an adapter is trained in one run. Resume that run with more steps (--resume).',
        ],
      ];
    },
  },
  /**
   * The source of values for missing keys: `chosen` for this method, task, model and data, or `huggingface` for the
   * defaults of Hugging Face and PEFT.
   */
  defaults: { schema: z.enum(['chosen', 'huggingface']).default('chosen'), effect: 'none' },
  /** Folder of the run: adapter, checkpoints, metrics and report. */
  output: { schema: z.string().min(1), effect: 'none' },
  /** Seed of initial values, order of examples and dropout. */
  seed: { schema: z.int().min(0).default(0) },
  /** Device: `cpu`, `webgpu` (a GPU) or `wasm` (WebAssembly). */
  device: { schema: z.enum(DEVICES).default('cpu'), effect: 'none' },
  /**
   * Compute threads of a process. Default: the environment variable `ADALORA_THREADS`, or one per core. Fewer threads
   * leave cores to other programs.
   */
  threads: { schema: z.int().min(1).max(9999).optional(), effect: 'none' },
} as const;

/** The keys outside of sections. */
export const COMMON_KEYS: Readonly<Record<string, Key<SoundConfig>>> = KEYS;

function methodsThat(fits: (name: MethodName) => boolean): string {
  return listed(METHOD_NAMES.filter(fits), 'or');
}

type CommonSchema = z.ZodObject<Schemas<typeof KEYS>>;
/** The keys outside of sections, as written. The names of tasks and methods grow. */
type CommonInput = Omit<z.input<CommonSchema>, 'task' | 'method'>;

type DescribedInput = CommonInput & {
  /** Fine-tuning method, or in YAML the path of a file that defines one. Its settings are in the section of the same name. */
  method?: MethodName | keyof DefinedMethods | undefined;
  /** Training settings, named as in Hugging Face's `TrainingArguments`. */
  training?: TrainingInput | undefined;
  /** In a program: your own scores. `metric_for_best_model` may name one of them. */
  metrics?: OwnMetrics | undefined;
};

type DataWithRows<Data> = Data extends unknown
  ? Omit<Data, 'train' | 'validation'> & {
      /** Training data: one or several files, a split of `dataset`, or rows as an array or async iterable. */
      train?: string | readonly string[] | RowSource | undefined;
      /**
       * Validation data: a file, a share of `train` such as `10%`, or rows. Several validation sets are given
       * by name.
       */
      validation?:
        | string
        | readonly string[]
        | RowSource
        | Readonly<Record<string, string | RowSource>>
        | undefined;
    }
  : never;

type TaskInput =
  | {
      [Task in TaskName]: {
        /** Task to train. Default: `single_label_classification`. */
        task: Task;
        /** Files or rows, their columns, and how they are read. The keys depend on the task. */
        data: DataWithRows<DataInputOf[Task]>;
      };
    }[TaskName]
  | {
      [Task in keyof DefinedTasks]: { task: Task; data: DataWithRows<DefinedTasks[Task]> };
    }[keyof DefinedTasks]
  | { task?: undefined; data: DataWithRows<DataInputOf[typeof DEFAULT_TASK]> };

/** The config as written by a user: keys with a default are optional. In a program, data may be rows in memory. */
export type RunConfigInput = DescribedInput &
  TaskInput & { [Name in keyof SectionInputs]?: SectionInputs[Name] | undefined } & {
    [Name in keyof DefinedMethods]?: DefinedMethods[Name] | undefined;
  };

type CommonConfig = Omit<z.output<CommonSchema>, 'task'>;

/**
 * A run's config with all defaults filled in, and with the section of its method only. If the run continues an adapter,
 * `continuedConfig` later completes that section.
 */
export type RunConfig = CommonConfig & { training: TrainingConfig } & TaskSection & Partial<Sections>;

/**
 * A checked config before `chooseDefaults`. Values that depend on the rows and the model are missing unless the user
 * has set them. A complete config also has this type.
 */
export type ParsedConfig = CommonConfig & { training: ParsedTraining } & TaskSection & {
    [Name in keyof Sections]?: Partial<Sections[Name]>;
  };

/** The task and its `data` section. */
export type TaskSection = { [Task in TaskName]: { task: Task; data: DataOf[Task] } }[TaskName];

/** The valid parts of a config. An error in one section then does not hide errors in other sections, or errors between those. */
export interface SoundConfig extends Partial<z.output<CommonSchema>> {
  /** The method's section. */
  settings?: Record<string, unknown> | undefined;
  /** The task's section, without its unknown keys: they do not prevent the files from being read. */
  data?: BaseData | undefined;
  training?: TrainingSection | undefined;
}

type MethodSections = {
  [Name in keyof Sections]: z.ZodType<Sections[Name], SectionInputs[Name] | undefined>;
};

/** The sections of all methods. A config may have sections of methods that it does not use. They are only checked. */
function methodSections(): MethodSections {
  const sections = METHOD_NAMES.flatMap((name) => {
    const section = methodNamed(name).config?.prefault({});
    return section ? [[name, section]] : [];
  });
  return Object.fromEntries(sections) as unknown as MethodSections;
}

export type RunSchema = ReturnType<typeof runSchema>;

/**
 * The schema of a run's YAML file, with all methods and tasks defined so far.
 *
 * @throws UserError if a program defines a method with the name of another key
 */
export function runSchema() {
  const common = {
    ...pickSchemas(KEYS),
    data: z.object({}).loose(),
    training: trainingSchema.prefault({}),
  };
  const sections = methodSections();
  const taken = Object.keys(sections).find((name) => name in common);
  if (taken === undefined) return z.strictObject({ ...common, ...sections });
  throw new UserError({ where: `the method "${taken}"`, fault: 'has the name of another key of a config' });
}

/** The keys of every section, by the section's name. Keys of the top level are under the empty name. */
export type KnownKeys = Readonly<Record<string, readonly string[]>>;

/** The keys of every section. The keys of `data` depend on the task, and are omitted for an unknown task. */
export function knownKeys(task: TaskName | undefined): KnownKeys {
  const sections = METHOD_NAMES.flatMap((name) => {
    const { config } = methodNamed(name);
    return config ? [[name, Object.keys(config.shape)]] : [];
  });
  return {
    '': Object.keys(runSchema().shape),
    ...(task && dataKeys(taskNamed(task).data.shape)),
    training: Object.keys(trainingSchema.shape),
    ...Object.fromEntries(sections),
  };
}

/** The keys of a `data` section and of its subsections. */
function dataKeys(shape: Readonly<Record<string, z.ZodType>>): KnownKeys {
  const sections = Object.entries(shape).flatMap(([key, schema]) => {
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    return inner instanceof z.ZodObject ? [[`data.${key}`, Object.keys(inner.shape)] as const] : [];
  });
  return { data: Object.keys(shape), ...Object.fromEntries(sections) };
}
