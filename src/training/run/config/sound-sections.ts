import { z } from 'zod';
import { methodNamed } from '../../../methods/tuners/registry.ts';
import { dataFiles, withSplits } from '../../../tasks/data-files.ts';
import { type TaskName, taskNamed } from '../../../tasks/registry.ts';
import type { BaseData } from '../../../tasks/task-definition.ts';
import type { SoundParts } from './config-error.ts';
import type { SoundSections } from './cross-checks.ts';
import { runSchema } from './run-schema.ts';
import { trainingSchema } from './training-section.ts';

/** The keys that every `data` section has. Other keys are ignored. */
const dataFilesSchema = z.object(dataFiles);

/** The sections that are valid. An error in one section then does not hide errors between others. */
export function soundSections(value: unknown, task: TaskName | undefined): SoundSections {
  const { model_init, base_dtype, method, adapter, defaults, training } = runSchema().shape;
  const section = Object(value) as Record<string, unknown>;
  const name = method.safeParse(section.method).data;
  return {
    task,
    model_init: model_init.safeParse(section.model_init).data,
    base_dtype: base_dtype.safeParse(section.base_dtype).data,
    method: name,
    settings: name && methodNamed(name).config?.prefault({}).safeParse(section[name]).data,
    adapter: adapter.safeParse(section.adapter).data,
    defaults: defaults.safeParse(section.defaults).data,
    data: task && dataOf(task, section),
    training: training.safeParse(section.training).data,
  };
}

/** The valid parts of a config that name files, or that the files must fit. */
export function soundParts(value: unknown, task: TaskName | undefined): SoundParts {
  const { model, model_config } = runSchema().shape;
  const section = Object(value) as Record<string, unknown>;
  const { method, adapter } = soundSections(section, task);
  // An unknown key does not prevent the files from being read.
  const whole = task && (taskNamed(task).data.strip().safeParse(section.data).data as BaseData | undefined);
  const data = whole ?? dataFilesSchema.safeParse(section.data).data;
  const steps = trainingSchema.shape.max_steps.safeParse(Object(section.training).max_steps).data ?? -1;
  return {
    model: model.safeParse(section.model).data,
    model_config: model_config.safeParse(section.model_config).data,
    adapter,
    task,
    data,
    readsData: whole !== undefined,
    method,
    settings: method && methodNamed(method).config?.prefault({}).safeParse(section[method]).data,
    steps: steps > 0 ? steps : undefined,
  };
}

function dataOf(task: TaskName, { data, training }: Record<string, unknown>): BaseData | undefined {
  const sound = taskNamed(task).data.safeParse(data).data as BaseData | undefined;
  return sound && withSplits(sound, Object(training).eval_strategy !== 'no');
}
