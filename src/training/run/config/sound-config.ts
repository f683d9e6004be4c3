import { z } from 'zod';
import { type MethodName, methodNamed } from '../../../methods/tuners/registry.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { UserError } from '../../../support/user-error.ts';
import { dataFileKeys, withSplits } from '../../../tasks/data-files.ts';
import type { BaseData } from '../../../tasks/prediction.ts';
import { type TaskName, taskNamed } from '../../../tasks/registry.ts';
import { runSchema } from './run-schema.ts';
import { type TrainingSection, trainingSchema } from './training-section.ts';

/** The valid parts of a config. An error in one section then does not hide errors in other sections, or errors between those. */
export interface SoundConfig {
  model?: string | undefined;
  model_init?: 'checkpoint' | 'random' | undefined;
  model_config?: Record<string, unknown> | undefined;
  base_dtype?: BaseDtype | undefined;
  task?: TaskName | undefined;
  method?: MethodName | undefined;
  /** The method's section. */
  settings?: Record<string, unknown> | undefined;
  adapter?: string | undefined;
  defaults?: 'chosen' | 'huggingface' | undefined;
  /** The task's section, without its unknown keys: they do not prevent the files from being read. */
  data?: BaseData | undefined;
  /** The source of the rows, if the rest of `data` is not valid. */
  files?: Pick<BaseData, 'dataset' | 'train' | 'validation'> | undefined;
  training?: TrainingSection | undefined;
  /** Number of optimizer steps, even if the rest of `training` is not valid. */
  max_steps?: number | undefined;
}

/** All errors in a config. */
export class ConfigError extends UserError {
  readonly sound: SoundConfig;

  constructor(message: string, sound: SoundConfig) {
    super(message, 'invalid_config');
    this.sound = sound;
  }
}

/** The keys that every `data` section has. Other keys are ignored. */
const dataFilesSchema = z.object(dataFileKeys);

export function soundConfig(value: unknown, task: TaskName | undefined): SoundConfig {
  const { shape } = runSchema();
  const section = Object(value) as Record<string, unknown>;
  const method = shape.method.safeParse(section.method).data;
  const training = Object(section.training) as Record<string, unknown>;
  const data = task && (taskNamed(task).data.strip().safeParse(section.data).data as BaseData | undefined);
  return {
    model: shape.model.safeParse(section.model).data,
    model_init: shape.model_init.safeParse(section.model_init).data,
    model_config: shape.model_config.safeParse(section.model_config).data,
    base_dtype: shape.base_dtype.safeParse(section.base_dtype).data,
    task,
    method,
    settings: method && methodNamed(method).config?.prefault({}).safeParse(section[method]).data,
    adapter: shape.adapter.safeParse(section.adapter).data,
    defaults: shape.defaults.safeParse(section.defaults).data,
    data: data && withSplits(data, training.eval_strategy !== 'no'),
    files: dataFilesSchema.safeParse(section.data).data,
    training: shape.training.safeParse(section.training).data,
    max_steps: trainingSchema.shape.max_steps.safeParse(training.max_steps).data,
  };
}
