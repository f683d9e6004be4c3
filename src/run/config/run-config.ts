import type { BaseDtype } from '../../bases/base-dtype.ts';
import type { Device } from '../../runtime/session.ts';
import type { DataInputOf, DataOf, DEFAULT_TASK, TaskName } from '../../tasks/registry.ts';
import type { MethodName, SectionInputs, Sections } from '../../tuners/registry.ts';
import type { ParsedTraining } from './defaults/parsed-training.ts';
import type { TrainingConfig, TrainingInput } from './training-section.ts';

/** What editors tell of the keys that no task and no method has for itself. */
interface CommonInput {
  /** A folder, or a model id of the Hugging Face Hub. Default: the model that comes with this package. */
  model?: string | undefined;
  /** `random`: begin with new weights, of the shape that config.json tells, and not with the checkpoint's. */
  model_init?: 'checkpoint' | 'random' | undefined;
  /** Fields of the model's config.json to replace, such as `cls_dropout`. */
  model_config?: Record<string, unknown> | undefined;
  /** How the frozen linear weights are kept: as they are, or as integers of 8 or 4 bits. */
  base_dtype?: BaseDtype | undefined;
  /** What is trained, and how; its settings are the section of that name. */
  method?: MethodName | undefined;
  /** The folder of an adapter, or of the run that made it, from whose values training starts. */
  adapter?: string | undefined;
  /** Keys that are left out: `chosen` by measurement for the method, task, model and rows, or as in `huggingface` and PEFT. */
  defaults?: 'chosen' | 'huggingface' | undefined;
  /** By the names of Hugging Face's TrainingArguments. */
  training?: TrainingInput | undefined;
  /** The run's folder. */
  output: string;
  /** Decides initial values, the order of examples, and dropout. */
  seed?: number | undefined;
  /** What computes: the processor, a GPU, or WebAssembly. */
  device?: Device | undefined;
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
export type RunConfigInput = CommonInput &
  TaskInput & { [Name in keyof SectionInputs]?: SectionInputs[Name] | undefined };

/**
 * A run with every default filled in, and the section of its method alone. Where it continues an adapter, that section
 * has only what was given until `continuedConfig` has filled in the rest from the adapter.
 */
export type RunConfig = RunSettings & TaskSection & Partial<Sections>;

/**
 * A checked config before `chooseDefaults`: what depends on the rows and the model is missing unless the user has set it. A
 * config with every value is one too.
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
}

/** The task and its `data` section. */
export type TaskSection = { [Task in TaskName]: { task: Task; data: DataOf[Task] } }[TaskName];
