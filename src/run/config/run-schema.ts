import { z } from 'zod';
import { BASE_DTYPES } from '../../bases/base-dtype.ts';
import { EMBEDDED_MODEL } from '../../data/hub/embedded-model.ts';
import type { Device } from '../../runtime/session.ts';
import { DEFAULT_TASK, TASK_NAMES } from '../../tasks/registry.ts';
import {
  DEFAULT_METHOD,
  METHOD_NAMES,
  methodNamed,
  type SectionInputs,
  type Sections,
} from '../../tuners/registry.ts';
import { trainingSchema } from './training-section.ts';

/** `chosen`: by the policy in defaults/. */
export const DEFAULTS = ['chosen', 'huggingface'] as const;
const DEVICES = ['cpu', 'webgpu', 'wasm'] as const satisfies Device[];

/** The sections of all methods: sections of methods other than `method` may be present and are only checked. */
const methodSections = Object.fromEntries(
  METHOD_NAMES.flatMap((name) => {
    const section = methodNamed(name).config?.prefault({});
    return section ? [[name, section]] : [];
  }),
) as unknown as { [Name in keyof Sections]: z.ZodType<Sections[Name], SectionInputs[Name] | undefined> };

/** The schema of a run's YAML file; `CommonInput` (run-config.ts) describes the keys. */
export const runSchema = z.strictObject({
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
  ...methodSections,
  output: z.string().min(1),
  seed: z.int().min(0).default(0),
  device: z.enum(DEVICES).default('cpu'),
});
