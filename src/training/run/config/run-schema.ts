import { z } from 'zod';
import type { Device } from '../../../engine/runtime/session.ts';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import {
  DEFAULT_METHOD,
  METHOD_NAMES,
  methodNamed,
  type SectionInputs,
  type Sections,
} from '../../../methods/tuners/registry.ts';
import { BASE_DTYPES } from '../../../program/bases/base-dtype.ts';
import { UserError } from '../../../support/user-error.ts';
import { DEFAULT_TASK, TASK_NAMES, type TaskName, taskNamed } from '../../../tasks/registry.ts';
import type { KnownKeys } from './describe-issue.ts';
import { trainingSchema } from './training-section.ts';

/** `chosen`: missing keys get values from the policy in defaults/. */
const DEFAULTS = ['chosen', 'huggingface'] as const;
const DEVICES = ['cpu', 'webgpu', 'wasm'] as const satisfies Device[];

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
 * The schema of a run's YAML file, with all methods and tasks defined so far. `CommonInput` (run-config.ts) describes
 * the keys.
 *
 * @throws UserError if a program defines a method with the name of another key
 */
export function runSchema() {
  const before = {
    model: z.string().min(1).default(EMBEDDED_MODEL),
    model_init: z.enum(['checkpoint', 'random']).default('checkpoint'),
    model_config: z.record(z.string(), z.json()).optional(),
    base_dtype: z.enum(BASE_DTYPES).default('float32'),
    task: z.enum(TASK_NAMES).default(DEFAULT_TASK),
    method: z.enum(METHOD_NAMES).default(DEFAULT_METHOD),
    adapter: z.string().min(1).optional(),
    defaults: z.enum(DEFAULTS).default('chosen'),
    data: z.object({}).loose(),
    training: trainingSchema.prefault({}),
  };
  const after = {
    output: z.string().min(1),
    seed: z.int().min(0).default(0),
    device: z.enum(DEVICES).default('cpu'),
    threads: z.int().min(1).max(9999).optional(),
  };
  const sections = methodSections();
  const taken = Object.keys(sections).find((name) => name in before || name in after);
  if (taken === undefined) return z.strictObject({ ...before, ...sections, ...after });
  throw new UserError({ where: `the method "${taken}"`, fault: 'has the name of another key of a config' });
}

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
