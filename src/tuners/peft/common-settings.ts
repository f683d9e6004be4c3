import { z } from 'zod';

const count = z.int().nonnegative();
const names = z.array(z.string());

/** Settings in every `adapter_config.json` of PEFT. Key names and defaults are PEFT's (0.21). */
export const commonSettings = {
  task_type: z.string().nullable().default(null),
  /** Folder or Hub id of the base model. */
  base_model_name_or_path: z.string().nullable().default(null),
  revision: z.string().nullable().default(null),
  auto_mapping: z.record(z.string(), z.unknown()).nullable().default(null),
  inference_mode: z.boolean().default(false),
  /** A list of suffixes, a regular expression for the full path, or "all-linear". */
  target_modules: z.union([names, z.string()]).nullable().default(null),
  /** Modules that are trained and saved in full, such as the head. */
  modules_to_save: names.nullable().default(null),
  /** Whether the target's weight is stored as (in, out), as GPT-2's Conv1D does. */
  fan_in_fan_out: z.boolean().default(false),
};

/** Settings that exclude modules by name. */
export const exclusionSettings = { exclude_modules: z.union([names, z.string()]).nullable().default(null) };

/** Settings that select layers by number. */
export const layerSettings = {
  layers_to_transform: z
    .union([z.array(count), count])
    .nullable()
    .default(null),
  layers_pattern: z.union([names, z.string()]).nullable().default(null),
};
