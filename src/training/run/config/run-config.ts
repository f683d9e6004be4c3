import type { Device } from '../../../engine/runtime/session.ts';
import type { RowSource } from '../../../input/data/rows.ts';
import type { DefinedMethods } from '../../../methods/tuners/method-definition.ts';
import type { MethodName, SectionInputs, Sections } from '../../../methods/tuners/registry.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import type { OwnMetrics } from '../../../scores/metrics/own-metrics.ts';
import type { DefinedTasks } from '../../../tasks/define-task.ts';
import type { DataInputOf, DataOf, DEFAULT_TASK, TaskName } from '../../../tasks/registry.ts';
import type { ChosenTraining } from './defaults/policy.ts';
import type { TrainingConfig, TrainingInput } from './training-section.ts';

/*
 * A config has four types. `RunConfigInput` comes from a file or a program, with rows and functions as values. The
 * schema makes a `ParsedConfig` of it, with all defaults that depend on nothing else; config.yaml of a run has this form.
 * `RunConfig` also has the values that the data and the model decide. `SoundConfig` has the valid parts of a config with
 * errors, so that its data and its model are checked too.
 */

/** A `training` section without the values that are chosen later. */
type ParsedTraining = Omit<TrainingConfig, ChosenTraining> & Partial<Pick<TrainingConfig, ChosenTraining>>;

/** Keys that are not specific to a task or method, with the texts that editors show. */
interface CommonInput {
  /** Model folder, or model id on the Hugging Face Hub. Default: the built-in small encoder. */
  model?: string | undefined;
  /** `random` trains from new weights instead of those of the checkpoint. */
  model_init?: 'checkpoint' | 'random' | undefined;
  /** Fields that replace those of the model's config.json, such as `cls_dropout`. */
  model_config?: Record<string, unknown> | undefined;
  /** Type of the frozen linear weights. Integers of 8 or 4 bits need less memory than `float32`. */
  base_dtype?: BaseDtype | undefined;
  /** Fine-tuning method. Its settings are in the section of the same name. */
  method?: MethodName | keyof DefinedMethods | undefined;
  /** Folder of an adapter or run. Training continues from its values. */
  adapter?: string | undefined;
  /**
   * The source of values for missing keys: `chosen` for this method, task, model and data, or `huggingface` for the
   * defaults of Hugging Face and PEFT.
   */
  defaults?: 'chosen' | 'huggingface' | undefined;
  /** Training settings, named as in Hugging Face's `TrainingArguments`. */
  training?: TrainingInput | undefined;
  /** Folder of the run: adapter, checkpoints, metrics and report. */
  output: string;
  /** Seed of initial values, order of examples and dropout. */
  seed?: number | undefined;
  /** Device: `cpu`, `webgpu` (a GPU) or `wasm` (WebAssembly). */
  device?: Device | undefined;
  /**
   * Compute threads of a process. Default: the environment variable `ADALORA_THREADS`, or one per core. Fewer threads
   * leave cores to other programs.
   */
  threads?: number | undefined;
  /** In a program: your own scores. `metric_for_best_model` may name one of them. */
  metrics?: OwnMetrics | undefined;
}

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
export type RunConfigInput = CommonInput &
  TaskInput & { [Name in keyof SectionInputs]?: SectionInputs[Name] | undefined } & {
    [Name in keyof DefinedMethods]?: DefinedMethods[Name] | undefined;
  };

/**
 * A run's config with all defaults filled in, and with the section of its method only. If the run continues an adapter,
 * `continuedConfig` later completes that section.
 */
export type RunConfig = RunSettings & TaskSection & Partial<Sections>;

/**
 * A checked config before `chooseDefaults`. Values that depend on the rows and the model are missing unless the user
 * has set them. A complete config also has this type.
 */
export type ParsedConfig = Omit<RunSettings, 'training'> & { training: ParsedTraining } & TaskSection & {
    [Name in keyof Sections]?: Partial<Sections[Name]>;
  };

interface RunSettings {
  model: string;
  model_init: 'checkpoint' | 'random';
  model_config?: Record<string, unknown>;
  base_dtype: BaseDtype;
  method: MethodName;
  adapter?: string;
  defaults: 'chosen' | 'huggingface';
  training: TrainingConfig;
  output: string;
  seed: number;
  device: Device;
  threads?: number;
}

/** The task and its `data` section. */
export type TaskSection = { [Task in TaskName]: { task: Task; data: DataOf[Task] } }[TaskName];
