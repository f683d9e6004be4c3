import { DEFAULT_METHOD, METHOD_NAMES } from '../../methods/tuners/registry.ts';
import { addUp } from '../../support/numbers.ts';
import { suggest } from '../../support/text.ts';
import { type KeyPath, UserError, valueAt } from '../../support/user-error.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { type Recipe, recipeNamed } from '../recipes/recipe.ts';
import {
  type ComparisonFile,
  combinations,
  comparisonFile,
  product,
  type RowKeys,
} from './comparison-file.ts';
import { assertCount, type Cell, cellMethod, type Experiment, onHeldOut, sharedPlace } from './experiment.ts';
import { type RecipeBooks, recipeRates, recipeRow } from './recipe-rows.ts';
import { type Config, flat, folderNames, mergeSettings, type Settings, settingsText } from './settings.ts';

type Where = (path: KeyPath) => string;

/**
 * Parses a comparison's file into an experiment. Without `rows`, each combination of the values in `grid` is a row, and
 * the comparison chooses the best one on held-out rows.
 *
 * @param books the recipes, if tasks of the file are recipes
 * @throws UserError that lists all problems, including those of each run's config
 */
export function comparison(file: Config, where: Where, books?: RecipeBooks): Experiment {
  const parts = comparisonFile(file, where);
  const { output, held_out: heldOut, halving, compared_with: reference } = parts;
  const tasks = Object.entries(parts.tasks);
  const { common } = parts;
  const isSweep = parts.rows === undefined;
  const rows = Object.entries(parts.rows ?? gridRows(parts, where));
  const problems = new Set<string>();
  const cells = tasks.flatMap(([task, { set: ofTask, recipe }]) =>
    rows.flatMap(([name, { set, keys, tasks: own = Object.keys(parts.tasks) }]): Cell[] => {
      if (!own.includes(task)) return [];
      const place: Where = (path) => {
        const homes: KeyPath[] = [['rows', name], ['tasks', task], []];
        const home = homes.find((home) => valueAt(file, [...home, ...path]) !== undefined);
        return where([...(home ?? []), ...path]);
      };
      const found = recipe && books ? recipeNamed(recipe, books.recipes, place(['recipe'])) : undefined;
      const paper = keys.paper?.[own.indexOf(task)];
      const cellParts = { ...keys, name, task, set, paper, ofTask, common };
      const cell = found ? recipeCell(cellParts, found, parts, books!) : plainCell(cellParts, parts);
      if (!cell) return [];
      const grid = combinations(keys.grid ?? (isSweep ? {} : (parts.grid ?? {})));
      if (!grid) problems.add(`${place(['grid'])}: \`grid\` must have a list of values for each key`);
      const tried = grid && (grid.length > 0 || keys.grid) ? grid : cell.grid;
      for (const choice of tried.length > 0 ? tried : [{}]) {
        const config = mergeSettings(cell.config, choice);
        const tuned = isSweep || tried.length > 1 ? onHeldOut(config, heldOut) : config;
        const needsWhole = !isSweep || Object(config.data).validation !== undefined || tuned === config;
        for (const each of new Set([...(needsWhole ? [config] : []), tuned])) check(each, place, problems);
      }
      const config = isSweep ? onHeldOut(cell.config, heldOut) : cell.config;
      return [{ ...cell, config, whole: isSweep ? cell.config : undefined, grid: tried }];
    }),
  );
  const [first] = cells;
  if (!first) {
    const fault = 'have nothing to run: no recipe has their levels';
    throw new UserError({ where: where(['rows']), key: 'rows', fault });
  }
  const declared = parts.seeds ?? (isSweep ? [Number(common.seed ?? 0)] : 5);
  const seeds = [
    ...new Set(typeof declared === 'number' ? Array.from({ length: declared }, (_, seed) => seed) : declared),
  ];
  const twice = sharedPlace(cells);
  if (twice) problems.add(`${where(['rows'])}: two rows are named "${twice}"`);
  const unknown = referenceProblem(reference, cells, where);
  if (unknown) problems.add(unknown);
  if (problems.size > 0) throw new UserError([...problems].join('\n'));
  assertCount(
    addUp(cells, ({ grid }) => grid.length + seeds.length),
    where([]),
  );
  // If combinations have equal scores, the one with the lowest loss is the best.
  const scores = isSweep && [parseConfig(first.config, where).training.metric_for_best_model, 'loss'];
  const changes = books ? settingsText(flat(omitThreads(parts.common))) : '';
  const averages = rows.flatMap(([name, { keys }]) =>
    keys.average === undefined ? [] : [[name, keys.average] as const],
  );
  const isPublished = averages.length > 0 && cells.every(({ paper }) => paper);
  const kind = isSweep ? 'Sweep' : 'Comparison';
  const what = isSweep ? 'combination' : 'row';
  return {
    title: parts.title ?? `${kind} of ${rows.length} ${what}${rows.length === 1 ? '' : 's'}`,
    output,
    about: changes === '' ? [] : [`Set for every row: ${changes}.`],
    cells: cells.map((cell) => ({
      ...cell,
      scores: scores ? [...new Set(scores)] : cell.scores,
      comparedWith: comparedRow(cells, cell, reference),
    })),
    seeds,
    tuning: {
      heldOut,
      seed: parts.tuning_seed,
      halving: halving === true ? [25, 50] : halving === false ? [] : halving,
    },
    average: parts.average ?? tasks.length > 1,
    paperAverages: isPublished ? Object.fromEntries(averages) : undefined,
    choosesRow: isSweep,
  };
}

/** The parts of a cell: a row on a task. */
interface CellParts extends Omit<RowKeys, 'paper'> {
  name: string;
  task: string;
  /** The settings of the row, of the task, and of every run. */
  set: Config;
  ofTask: Config;
  common: Config;
  /** The published scores of the cell. */
  paper: NonNullable<RowKeys['paper']>[number] | undefined;
}

function plainCell(
  { name, task, set, ofTask, common, paper, level }: CellParts,
  { scores }: ComparisonFile,
): Cell {
  const declared = scores[task];
  const names = declared === undefined ? undefined : [declared].flat();
  return {
    row: name,
    task,
    settings: flat(set),
    config: mergeSettings(mergeSettings(common, ofTask), set),
    grid: [],
    level,
    scores: names,
    paper: names && publishedAs(names, paper),
  };
}

/** The cell of a row on the task of a recipe. Undefined if there is none for its level or its model. */
function recipeCell(
  cellParts: CellParts,
  recipe: Recipe,
  { data_folder: folder, scores, tune }: ComparisonFile,
  books: RecipeBooks,
): Cell | undefined {
  const { name, task, set, ofTask, common, level, paper } = cellParts;
  const { method } = { ...common, ...ofTask, ...set };
  const row = recipeRow({ name, recipe, method, level, set, folder }, books);
  if (!row) return undefined;
  const names = [scores[task] ?? recipe.scores].flat();
  const config = mergeSettings(mergeSettings(mergeSettings(row.config, common), ofTask), set);
  const keys = Object.keys({ ...row.settings, ...flat(set) });
  const isAsPublished = Object.keys({ ...omitThreads(common), ...ofTask }).length === 0;
  return {
    row: row.row,
    task,
    settings: Object.fromEntries(keys.map((key) => [key, valueAt(config, key.split('.'))])),
    config,
    grid: tune ? recipeRates(row, books) : [],
    level,
    isOfRecipe: true,
    scores: names,
    paper: isAsPublished ? publishedAs(names, paper) : undefined,
    paperExamples: recipe.rows ? { count: recipe.rows, least: recipe.splits_rows } : undefined,
  };
}

/** Published scores by their names. */
function publishedAs(names: readonly string[], paper: CellParts['paper']): Cell['paper'] {
  if (paper === undefined || paper === null) return undefined;
  return Object.fromEntries([paper].flat().map((value, i) => [names[i]!, value]));
}

/** The settings of a file that change what a recipe computes. */
function omitThreads({ threads: _, ...common }: Config): Config {
  return common;
}

/**
 * The combinations of the values in a file's `grid` as rows. The last key varies fastest. Settings of other methods have
 * no effect, so they make no additional rows.
 *
 * @throws UserError for a file with neither a grid nor seeds, and for too many combinations
 */
function gridRows(
  { grid = {}, seeds, common }: ComparisonFile,
  where: Where,
): NonNullable<ComparisonFile['rows']> {
  const lists = Object.entries(grid);
  if (lists.length === 0 && seeds === undefined) {
    const fault = 'has neither rows nor a grid of values to compare';
    const hint =
      'For example: grid: { training.learning_rate: [1e-3, 2e-3] }. For a single run, use adalora train.';
    throw new UserError({ where: where([]), fault, hint });
  }
  assertCount(
    lists.reduce((count, [, values]) => count * values.length, 1),
    where(['grid']),
  );
  const all = lists.length > 0 ? product(lists) : [{}];
  const methodOf = (settings: Settings) => `${settings.method ?? common.method ?? DEFAULT_METHOD}`;
  const effective = all.map((settings) =>
    Object.entries(settings).filter(([key]) => {
      const [section] = key.split('.') as [string];
      return section === methodOf(settings) || !METHOD_NAMES.some((name) => name === section);
    }),
  );
  const found = [...new Map(effective.map((own) => [JSON.stringify(own), Object.fromEntries(own)])).values()];
  const names = folderNames(found);
  return Object.fromEntries(found.map((set, i) => [names[i] || methodOf(set), { set, keys: {} }]));
}

/** The problem with a name that is neither that of a row nor of a row's method. */
function referenceProblem(
  name: string | undefined,
  cells: readonly Cell[],
  where: Where,
): string | undefined {
  if (name === undefined || cells.some((cell) => cell.row === name || cellMethod(cell) === name))
    return undefined;
  const hint = suggest(name, [...new Set(cells.map(({ row }) => row))]);
  const expected = 'the name of a row or a method';
  return new UserError({
    where: where(['compared_with']),
    key: 'compared_with',
    expected,
    got: name,
    hint,
  }).message;
}

/** The row with which a cell is compared: one by its name, or that of a method at the cell's budget level. */
function comparedRow(cells: readonly Cell[], cell: Cell, reference: string | undefined): string | undefined {
  if (reference === undefined) return undefined;
  const onTask = cells.filter(({ task }) => task === cell.task);
  const named = onTask.find(({ row }) => row === reference);
  if (named) return named === cell ? undefined : named.row;
  if (cell.level === undefined || cellMethod(cell) === reference) return undefined;
  return onTask.find((other) => other.level === cell.level && cellMethod(other) === reference)?.row;
}

/** Checks a run's config and collects its problems. Runs must end with a score. */
function check(config: Config, where: Where, problems: Set<string>): void {
  try {
    const { training } = parseConfig(config, where);
    if (training.eval_strategy !== 'no') return;
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

function parseConfig(config: Config, where: Where) {
  return parseRunConfig({ ...config, output: 'output' }, where);
}
