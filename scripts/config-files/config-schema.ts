import { z } from 'zod';
import { DEFAULT_TASK, TASK_NAMES, type TaskName, taskNamed } from '../../src/tasks/registry.ts';
import { runSchema } from '../../src/training/run/config/run-config.ts';
import type { ConfigTypes } from './config-types.ts';

/** The part of JSON Schema that this script uses. */
export interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  [key: string]: unknown;
}

/** The JSON Schema of a config file. Editors use it to complete keys, explain them, and mark errors. */
export function configSchema(types: ConfigTypes): Schema {
  const texts = new Map([...types.texts('DescribedInput'), ...types.texts('SectionInputs')]);
  const { $schema, ...config } = described(jsonSchema(runSchema()), texts);
  const ofData = types.texts('DataInputOf');
  return {
    $schema,
    title: 'Config of an adalora run',
    ...config,
    properties: {
      ...config.properties,
      method: withFiles(config.properties?.method),
      task: {
        ...config.properties?.task,
        description: 'Task to train. Default: `single_label_classification`.',
      },
      data: {
        type: 'object',
        description: 'Files, columns and how they are read. The keys depend on the task.',
      },
    },
    allOf: TASK_NAMES.map((task) => ({
      // A config without a task uses the default task.
      if: { properties: { task: { const: task } }, ...(task !== DEFAULT_TASK && { required: ['task'] }) },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { data: dataSchema(task, ofData) } },
    })),
  };
}

/** The schema of `method`, which may also be the path of a file. */
function withFiles({ enum: names, type, ...method }: Schema = {}): Schema {
  return {
    ...method,
    anyOf: [
      { type, enum: names },
      { type, pattern: '\\.[cm]?[jt]s$' },
    ],
  };
}

function dataSchema(task: TaskName, texts: ReadonlyMap<string, string>): Schema {
  const { $schema: _, ...data } = described(jsonSchema(taskNamed(task).data), texts, `${task}.`);
  return data;
}

/** Uses draft 7, which editors support best. */
function jsonSchema(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }) as Schema;
}

/** Adds the sources' comments to a schema as descriptions. */
function described(schema: Schema, texts: ReadonlyMap<string, string>, path = ''): Schema {
  const { properties } = schema;
  if (!properties) return schema;
  const keys = Object.entries(properties).map(([name, key]): [string, Schema] => {
    const text = texts.get(path + name);
    return [name, { ...described(key, texts, `${path}${name}.`), ...(text && { description: text }) }];
  });
  return { ...schema, properties: Object.fromEntries(keys) };
}
