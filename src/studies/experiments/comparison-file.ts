import { z } from 'zod';
import { isObject, mapValues } from '../../support/options.ts';
import { type KeyPath, shown, UserError, valueAt } from '../../support/user-error.ts';
import { type Config, flat, type Settings } from './settings.ts';

const section = z.record(z.string(), z.unknown());
const names = z.array(z.string().min(1)).min(1);
const grid = z.record(z.string(), z.array(z.unknown()).min(1));
const share = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?%$/)])
  .transform((value) => (typeof value === 'string' ? Number.parseFloat(value) : 100 * value));

/** A row's keys besides the settings of its runs. */
const ROW = {
  /** The row's own grid. */
  grid: section.optional(),
  /** The budget level of a recipe. */
  level: z.string().optional(),
  /** The tasks on which the row is trained. Default: all. */
  tasks: names.optional(),
  /** Published scores as printed, in the order of the row's tasks: a number, several, or null for none. */
  paper: z.array(z.union([z.number(), z.array(z.number()), z.null()])).optional(),
  /** Their published mean. */
  average: z.number().optional(),
};
/** A task's settings. With `recipe`, those of a recipe come first. */
const task = z.looseObject({ recipe: z.string().optional() });

/** The keys besides the config of every run. A description completes "must be". */
const KEYS = {
  output: z.string().min(1).describe('a folder for all runs'),
  title: z.string().optional().describe('a text'),
  /** Default: every combination of the values in `grid`. */
  rows: z
    .record(z.string().min(1), z.looseObject(ROW))
    .refine((rows) => Object.keys(rows).length > 0)
    .optional()
    .describe('settings by the name of a row'),
  tasks: z
    .union([names, z.record(z.string().min(1), task)])
    .optional()
    .describe('settings by the name of a task, or a list of recipes'),
  /** A grid for every row: values to choose from, by dotted key. Without rows, its combinations are the rows. */
  grid: grid.optional().describe('a list of values for each key'),
  seeds: z
    .union([z.int().min(1).max(1000), z.array(z.int().min(0)).min(1)])
    .optional()
    .describe('a number of seeds from 1 to 1000, or a list of seeds'),
  held_out: z.number().min(0).lt(1).default(0.1).describe('at least 0 and less than 1'),
  tuning_seed: z.int().min(0).default(0).describe('a whole number of at least 0'),
  halving: z
    .union([z.boolean(), z.array(share).min(1)])
    .default(false)
    .describe('true, false, or a list of shares such as 25%'),
  compared_with: z.string().optional().describe('the name of a row or a method'),
  scores: z
    .record(z.string(), z.union([z.string(), names]))
    .default({})
    .describe('the scores that the table shows, by the name of a task'),
  average: z.boolean().optional().describe('true or false'),
  /** Whether methods whose learning rate a recipe does not know choose it from the paper's grid. */
  tune: z.boolean().default(false).describe('true or false'),
  data_folder: z.string().min(1).default('data').describe("a folder with the recipes' datasets"),
};
/** The names of the keys besides the config of every run. */
export const COMPARISON_KEYS: readonly string[] = Object.keys(KEYS);

type Keys = z.output<z.ZodObject<typeof KEYS>>;
export type RowKeys = Omit<z.output<z.ZodObject<typeof ROW>>, 'tasks'>;
/** The parts of a comparison's file. */
export interface ComparisonFile extends Omit<Keys, 'rows' | 'tasks'> {
  /** The config of every run. */
  common: Config;
  /** Each row by its name: the settings of its runs, and its other keys. Undefined if the grid's combinations are the rows. */
  rows: Record<string, { set: Config; keys: RowKeys; tasks?: readonly string[] | undefined }> | undefined;
  /** Each task by its name: settings, and the name of a recipe. */
  tasks: Record<string, { set: Config; recipe?: string | undefined }>;
}

/**
 * Divides a comparison's file into its parts.
 *
 * @throws UserError with a line for each invalid key
 */
export function comparisonFile(file: Config, where: (path: KeyPath) => string): ComparisonFile {
  const parsed = z.object(KEYS).safeParse(file);
  if (!parsed.success) {
    const messages = parsed.error.issues.map(({ path, message }) => {
      const at = path as KeyPath;
      const key = path.join('.');
      if (path.length > 1)
        return new UserError({ where: where(at), key, fault: `is not valid (${message})` }).message;
      const expected = `${KEYS[key as keyof typeof KEYS].description}`;
      return new UserError({ where: where(at), key, expected, got: shown(valueAt(file, at)) }).message;
    });
    throw new UserError([...new Set(messages)].join('\n'));
  }
  const { rows, tasks = { run: {} }, ...keys } = parsed.data;
  const named: Readonly<Record<string, z.output<typeof task>>> = Array.isArray(tasks)
    ? Object.fromEntries(tasks.map((recipe) => [recipe, { recipe }]))
    : tasks;
  return {
    ...keys,
    common: Object.fromEntries(Object.entries(file).filter(([key]) => !COMPARISON_KEYS.includes(key))),
    rows:
      rows &&
      mapValues(rows, ({ grid, level, tasks, paper, average, ...set }) => ({
        set,
        keys: { grid, level, paper, average },
        tasks,
      })),
    tasks: mapValues(named, ({ recipe, ...set }) => ({ set, recipe })),
  };
}

/** All combinations of a grid's values. The last key varies fastest. Undefined for a grid without lists. */
export function combinations(gridSection: unknown): Settings[] | undefined {
  const parsed = grid.safeParse(isObject(gridSection) ? flat(gridSection) : gridSection);
  return parsed.data && product(Object.entries(parsed.data));
}

/** All combinations of the values of keys. None without keys. */
export function product(lists: readonly (readonly [key: string, values: readonly unknown[]])[]): Settings[] {
  return lists.reduce<Settings[]>(
    (sofar, [key, values]) =>
      sofar.flatMap((settings) => values.map((value) => ({ ...settings, [key]: value }))),
    lists.length > 0 ? [{}] : [],
  );
}
