import { z } from 'zod';
import { METHOD_NAMES, methodNamed } from '../../../methods/tuners/registry.ts';
import { type TaskName, taskNamed } from '../../../tasks/registry.ts';
import type { KnownKeys } from './describe-issue.ts';
import { runSchema } from './run-schema.ts';
import { trainingSchema } from './training-section.ts';

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
