import { z } from 'zod';

/** Maximum rank. No weight matrix has this many features on its smaller side, so a larger rank would have no effect. */
export const MAX_RANK = 65_536;

/** A rank, or the width of a bottleneck. */
export const rank = z.int().min(1).max(MAX_RANK);

const names = z.array(z.string().min(1)).min(1);
const nameOrNames = z.union([z.string().min(1), names]);

/** PEFT's keys that select modules, as a method's section has them. */
export const targetShape = {
  /**
   * Linear layers to adapt: a list of names, a regular expression, or `all-linear`. Default: the matrices of every
   * layer; for LoRA, also with measured ranks, fewer, as in PEFT, such as queries and values.
   */
  target_modules: nameOrNames.optional(),
  /** Layers to exclude: a list of names or a regular expression. */
  exclude_modules: nameOrNames.optional(),
  /** Numbers of the layers to adapt. Requires `target_modules` as a list. */
  layers_to_transform: z.union([z.int().min(0), z.array(z.int().min(0)).min(1)]).optional(),
  /** Name before the layer number in a path (`layer`, `h`). Default: any. */
  layers_pattern: nameOrNames.optional(),
  /** Modules trained and saved in full: those whose path ends in a name, as in PEFT. The task's head always is. */
  modules_to_save: names.optional(),
};

/** A setting as a file has it: null if it is not given. */
type InFile<Setting> =
  Setting extends z.ZodOptional<infer Given extends z.ZodType> ? z.ZodDefault<z.ZodNullable<Given>> : Setting;

/** The schema of a section's setting in a file. In files, an empty list usually means the same as null. */
function inFile<Setting extends z.ZodType>(setting: Setting): InFile<Setting> {
  if (!(setting instanceof z.ZodOptional)) return setting as InFile<Setting>;
  const given = setting.unwrap() as z.ZodType;
  const isNone = (value: unknown) =>
    value === '' || (Array.isArray(value) && value.length === 0 && !given.safeParse(value).success);
  const schema = z.preprocess((value) => (isNone(value) ? null : value), given.nullable()).default(null);
  return schema as unknown as InFile<Setting>;
}

/** PEFT's `target_modules` of an adapter that adapts no module. */
export const NO_TARGETS = 'dummy-target-modules';

export const savedModules = inFile(targetShape.modules_to_save);

/** In a file, an empty list of targets is not null: PEFT then adapts nothing instead of the model's default modules. */
const FILE_TARGETS = z
  .union([z.string(), z.array(z.string())])
  .nullable()
  .default(null);

/**
 * The schema of an `adapter_config.json`: PEFT's settings for every adapter, those of a method's section, and more that
 * a section does not have. Key names and defaults are PEFT's (0.21). Unknown keys are dropped, as in PEFT.
 */
export function fileSchema<Section extends z.ZodRawShape, More extends z.ZodRawShape>(
  section: Section,
  more: More,
) {
  const own = Object.entries(section).map(([key, setting]) => [
    key,
    key === 'target_modules' ? FILE_TARGETS : inFile(setting as z.ZodType),
  ]);
  return z.object({
    task_type: z.string().nullable().default(null),
    /** Folder or Hub id of the base model. */
    base_model_name_or_path: z.string().nullable().default(null),
    revision: z.string().nullable().default(null),
    auto_mapping: z.record(z.string(), z.unknown()).nullable().default(null),
    inference_mode: z.boolean().default(false),
    /** Whether the target's weight is stored as (in, out), as GPT-2's Conv1D does. */
    fan_in_fan_out: z.boolean().default(false),
    ...(Object.fromEntries(own) as { [Key in keyof Section]: InFile<Section[Key]> }),
    ...more,
  });
}
