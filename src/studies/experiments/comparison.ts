import { z } from 'zod';
import { suggest } from '../../support/text.ts';
import { type KeyPath, shown, UserError, valueAt } from '../../support/user-error.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { recipeNamed } from '../recipes/recipe.ts';
import { assertCount, type Cell, type Experiment, methodOf, onHeldOut, sharedPlace } from './experiment.ts';
import { listedRows } from './listed-rows.ts';
import { type RecipeBooks, recipeRates, recipeRow } from './recipe-rows.ts';
import { flat, isSection, merged, type Settings, settingsText } from './settings.ts';

const section = z.record(z.string(), z.unknown());
const names = z.array(z.string().min(1)).min(1);
const grid = z.record(z.string(), z.array(z.unknown()).min(1));
const share = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?%$/)])
  .transform((value) => (typeof value === 'string' ? Number.parseFloat(value) : 100 * value));
/** The published score of a row on a task: a number, several (for several scores), or null for none. */
const figure = z.union([z.number(), z.array(z.number()), z.null()]);

/** A row: settings of a run's config, and these keys. */
const rowSchema = z.looseObject({
  /** The row's own grid. */
  grid: section.optional(),
  /** The budget level of a recipe. */
  level: z.string().optional(),
  /** The tasks on which the row is trained. Default: all. */
  tasks: names.optional(),
  /** Published scores as printed, in the order of the row's tasks, and their published mean. */
  paper: z.array(figure).optional(),
  average: z.number().optional(),
});
type Row = z.output<typeof rowSchema>;
const ROW_KEYS = Object.keys(rowSchema.shape);

/** Keys of a comparison's file that are not part of a run's config. A description completes "must be". */
const SCHEMA = {
  output: z.string().min(1).describe('a folder for all runs'),
  title: z.string().optional().describe('a text'),
  /** Default: every combination of the lists in the file. */
  rows: z
    .record(z.string().min(1), rowSchema)
    .refine((rows) => Object.keys(rows).length > 0)
    .optional()
    .describe('settings by the name of a row'),
  tasks: z
    .union([names, z.record(z.string().min(1), section)])
    .optional()
    .describe('settings by the name of a task (recipe: those of a recipe), or a list of recipes'),
  /** A grid for every row: values to choose from, by dotted key. */
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
  data_folder: z.string().min(1).default('data').describe("a folder with the recipes' data sets"),
};
const comparisonSchema = z.object(SCHEMA);
type Keys = z.output<typeof comparisonSchema>;

type Config = Record<string, unknown>;
type Where = (path: KeyPath) => string;

/** The names of the recipes that a file uses. */
export function recipesIn({ tasks }: Config): string[] {
  if (Array.isArray(tasks)) return tasks.filter((name) => typeof name === 'string');
  return Object.values(Object(tasks) as object).flatMap((task) => Object(task).recipe ?? []);
}

/**
 * Parses a comparison's file into an experiment. All other keys of the file belong to the config of every run. Without
 * `rows`, each combination of the lists in the file is a row, and the comparison chooses the best one on held-out rows.
 *
 * @param books the recipes that the file's tasks name
 * @throws UserError that lists all problems, including those of each run's config
 */
export function comparison(file: Config, where: Where, books?: RecipeBooks): Experiment {
  const keys = parsedKeys(file, where);
  const common = Object.fromEntries(Object.entries(file).filter(([key]) => !(key in SCHEMA)));
  const tasks = tasksOf(keys);
  const [[, firstTask] = ['', {}]] = Object.entries(tasks);
  const { held_out: heldOut, compared_with: reference, halving } = keys;
  const listed = keys.rows
    ? undefined
    : listedRows(
        merged(common, firstTask),
        (config) => onHeldOut({ ...config, output: keys.output }, heldOut),
        where,
      );
  const rows: Record<string, Row> = keys.rows ?? listed!.rows;
  const base = listed?.withoutLists(common) ?? common;
  const problems = new Set<string>();
  const cells = Object.entries(tasks).flatMap(([task, ofTask]) =>
    Object.entries(rows).flatMap(([name, row]): Cell[] => {
      const place: Where = (path) => {
        const homes: KeyPath[] = [['rows', name], ['tasks', task], []];
        const home = homes.find((home) => valueAt(file, [...home, ...path]) !== undefined);
        return where([...(home ?? []), ...path]);
      };
      const at = (row.tasks ?? Object.keys(tasks)).indexOf(task);
      if (at < 0) return [];
      const cell = cellOf({
        name,
        row,
        task,
        ofTask,
        common: base,
        figures: row.paper?.[at],
        keys,
        books,
        place: where(['tasks', task]),
      });
      if (!cell) return [];
      const choices = gridOf(row.grid ?? keys.grid ?? {}, problems, place(['grid']));
      const tried = choices.length > 0 || row.grid ? choices : cell.grid;
      for (const choice of tried.length > 0 ? tried : [{}])
        check(merged(cell.config, choice), {
          heldOut: listed || tried.length > 1 ? heldOut : 0,
          isHeldOutOnly: listed !== undefined && Object(cell.config.data).validation === undefined,
          where: place,
          problems,
        });
      if (!listed) return [{ ...cell, grid: tried }];
      return [{ ...cell, config: onHeldOut(cell.config, heldOut), whole: cell.config, grid: tried }];
    }),
  );
  if (cells.length === 0)
    throw new UserError({
      where: where(['rows']),
      key: 'rows',
      fault: 'have nothing to run: no recipe has their levels',
    });
  const seeds = seedsOf(keys, listed?.seeds);
  // A seed is valid with every row or with none.
  for (const seed of listed ? seeds.slice(1) : [])
    check({ ...cells[0]!.config, seed }, { heldOut: 0, where, problems });
  const twice = sharedPlace(cells);
  if (twice) problems.add(`${where(['rows'])}: two rows are named "${twice}"`);
  if (
    reference !== undefined &&
    !(reference in rows) &&
    !cells.some((cell) => methodOf(cell) === reference)
  ) {
    const hint = suggest(reference, Object.keys(rows));
    problems.add(
      new UserError({
        where: where(['compared_with']),
        key: 'compared_with',
        expected: `${SCHEMA.compared_with.description}`,
        got: reference,
        hint,
      }).message,
    );
  }
  if (problems.size > 0) throw new UserError([...problems].join('\n'));
  assertCount(
    cells.reduce((sum, cell) => sum + cell.grid.length + seeds.length, 0),
    where([]),
  );
  // Of combinations with equal scores, the one with the lowest loss is the best.
  const scores = listed && [
    parseRunConfig({ ...cells[0]!.config, output: keys.output }, where).training.metric_for_best_model,
    'loss',
  ];
  const changes = books ? settingsText(flat(changesOf(common))) : '';
  const means = Object.entries(rows).flatMap(([name, { average }]) =>
    average === undefined ? [] : [[name, average]],
  );
  const count = Object.keys(rows).length;
  return {
    title:
      keys.title ??
      (listed
        ? `Sweep of ${count} ${count === 1 ? 'combination' : 'combinations'}`
        : `Comparison of ${count} rows`),
    output: keys.output,
    about: changes === '' ? [] : [`Set for every row: ${changes}.`],
    cells: cells.map((cell) => ({
      ...cell,
      ...(scores && { scores: [...new Set(scores)] }),
      comparedWith: comparedRow(cells, cell, reference),
    })),
    seeds,
    tuning: {
      heldOut,
      seed: keys.tuning_seed,
      halving: halving === true ? [25, 50] : halving === false ? [] : halving,
    },
    average: keys.average ?? (keys.tasks !== undefined && Object.keys(tasks).length > 1),
    ...(means.length > 0 &&
      cells.every(({ paper }) => paper) && { paperAverages: Object.fromEntries(means) }),
    choosesRow: listed !== undefined,
  };
}

/** The cell of a row on a task. Undefined for a row that its recipe lacks, or that its model cannot have. */
function cellOf({
  name,
  row,
  task,
  ofTask: { recipe: recipeName, ...ofTask },
  common,
  figures,
  keys,
  books,
  place,
}: {
  name: string;
  row: Row;
  task: string;
  ofTask: Config;
  common: Config;
  figures: z.output<typeof figure> | undefined;
  keys: Keys;
  books: RecipeBooks | undefined;
  /** The place of the task, for messages. */
  place: string;
}): Cell | undefined {
  const set = Object.fromEntries(Object.entries(row).filter(([key]) => !ROW_KEYS.includes(key)));
  const { level } = row;
  const { method } = { ...common, ...ofTask, ...set };
  const { data_folder: folder } = keys;
  const ofRecipe =
    typeof recipeName === 'string' && books
      ? recipeRow(
          { name, recipe: recipeNamed(recipeName, books.recipes, place), method, level, set, folder },
          books,
        )
      : undefined;
  if (typeof recipeName === 'string' && !ofRecipe) return undefined;
  const config = merged(merged(merged(ofRecipe?.config ?? {}, common), ofTask), set);
  const shownScores = keys.scores[task] ?? ofRecipe?.recipe.scores;
  const scores = shownScores === undefined ? undefined : [shownScores].flat();
  const settingKeys = [...Object.keys(ofRecipe?.settings ?? {}), ...Object.keys(flat(set))];
  const isAsPublished = !ofRecipe || Object.keys({ ...changesOf(common), ...ofTask }).length === 0;
  const paper =
    isAsPublished && figures != null && scores
      ? Object.fromEntries([figures].flat().map((value, i) => [scores[i], value]))
      : undefined;
  return {
    row: ofRecipe?.row ?? name,
    task,
    settings: Object.fromEntries(settingKeys.map((key) => [key, valueAt(config, key.split('.'))])),
    config,
    grid: keys.tune && ofRecipe ? recipeRates(ofRecipe, books!) : [],
    ...(level !== undefined && { level }),
    ...(scores && { scores }),
    ...(paper && { paper }),
    ...(ofRecipe?.recipe.rows && {
      paperExamples: { count: ofRecipe.recipe.rows, least: ofRecipe.recipe.splits_rows },
    }),
  };
}

/** The settings of a file that change what a recipe computes. */
function changesOf({ threads: _, ...common }: Config): Config {
  return common;
}

function parsedKeys(file: Config, where: Where): Keys {
  const parsed = comparisonSchema.safeParse(file);
  if (parsed.success) return parsed.data;
  const messages = parsed.error.issues.map(({ path, message }) => {
    const at = path as KeyPath;
    const key = path.join('.');
    if (path.length > 1)
      return new UserError({ where: where(at), key, fault: `is not valid (${message})` }).message;
    const expected = `${SCHEMA[key as keyof typeof SCHEMA].description}`;
    return new UserError({ where: where(at), key, expected, got: shown(valueAt(file, at)) }).message;
  });
  throw new UserError([...new Set(messages)].join('\n'));
}

function tasksOf({ tasks = { run: {} } }: Keys): Record<string, Config> {
  return Array.isArray(tasks) ? Object.fromEntries(tasks.map((name) => [name, { recipe: name }])) : tasks;
}

/** The seeds of every row: those of `seeds`, or else those that the lists of the file name, or five. */
function seedsOf({ seeds }: Keys, listed: readonly number[] | undefined): number[] {
  if (seeds === undefined && listed) return [...listed];
  const given = seeds ?? 5;
  return [...new Set(typeof given === 'number' ? Array.from({ length: given }, (_, seed) => seed) : given)];
}

/** The row with which a cell is compared: one by its name, or that of a method at the cell's budget level. */
function comparedRow(cells: readonly Cell[], cell: Cell, reference: string | undefined): string | undefined {
  if (reference === undefined) return undefined;
  const onTask = cells.filter(({ task }) => task === cell.task);
  const named = onTask.find(({ row }) => row === reference);
  if (named) return named === cell ? undefined : named.row;
  if (cell.level === undefined || methodOf(cell) === reference) return undefined;
  return onTask.find((other) => other.level === cell.level && methodOf(other) === reference)?.row;
}

/** All combinations of a grid's values. The last key varies fastest. */
function gridOf(gridSection: unknown, problems: Set<string>, where: string): Settings[] {
  const parsed = grid.safeParse(isSection(gridSection) ? flat(gridSection) : gridSection);
  if (!parsed.success) {
    problems.add(`${where}: \`grid\` must have a list of values for each key`);
    return [];
  }
  return Object.entries(parsed.data).reduce<Settings[]>(
    (sofar, [key, values]) =>
      sofar.flatMap((settings) => values.map((value) => ({ ...settings, [key]: value }))),
    Object.keys(parsed.data).length > 0 ? [{}] : [],
  );
}

/** Checks a run's config and collects its problems. Runs must end with a score. */
function check(
  config: Config,
  {
    heldOut,
    isHeldOutOnly = false,
    where,
    problems,
  }: { heldOut: number; isHeldOutOnly?: boolean; where: Where; problems: Set<string> },
): void {
  const whole = { ...config, output: 'output' };
  const tuned = heldOut > 0 ? [onHeldOut(whole, heldOut)] : [];
  for (const each of isHeldOutOnly && heldOut > 0 ? tuned : [whole, ...tuned]) {
    try {
      const { training } = parseRunConfig(each, where);
      if (training.eval_strategy === 'no')
        throw new UserError({
          where: where(['training', 'eval_strategy']),
          key: 'training.eval_strategy',
          fault: 'cannot be no, because runs are compared by their evaluations',
          hint: 'Set data.validation, and remove training.eval_strategy.',
        });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const line of error.message.split('\n')) problems.add(line);
    }
  }
}
