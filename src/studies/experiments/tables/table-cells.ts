import { METHOD_NAMES, methodNamed } from '../../../methods/tuners/registry.ts';
import { listNames, suggest } from '../../../support/text.ts';
import { UserError, valueAt } from '../../../support/user-error.ts';
import type { PaperRow, PaperTable } from '../../recipes/paper-table.ts';
import type { Budgets, Recipe } from '../../recipes/recipe.ts';
import { recipeValues } from '../../recipes/recipe-config.ts';
import type { Cell } from '../experiment.ts';
import { merged, type Settings } from '../settings.ts';
import { type ModelInPlace, onModel } from './model-in-place.ts';

/** Which parts of a table to run, and how. */
export interface TableChoice {
  /** The model. Default: each recipe's own, from the Hub. */
  inPlace?: ModelInPlace;
  /** The folder that replaces `data` in the recipes' paths. */
  data: string;
  /** The methods and levels to run, even if the table lacks them. Default: the table's rows. */
  methods?: readonly string[];
  budgets?: readonly string[];
  /** The tasks to run. Default: all. */
  tasks?: readonly string[];
  /** Whether methods choose their learning rate from the paper's grid, except for the recipe's own method. */
  tunes?: boolean;
  /** Settings that override every config, by dotted keys. */
  settings?: Settings;
  /** Called with a message for each requested row or task that does not exist. Messages may repeat. */
  onMissing?(message: string): void;
}

/** A cell in one of the paper's tables. */
export interface TableCell extends Cell {
  recipe: Recipe;
  method: string;
  level?: string;
}

/**
 * The cells of a table in order: each row on each of its tasks. The paper's scores are included unless the
 * model or a setting differs from the paper's.
 *
 * @throws UserError for an unknown method, level or task, and if no cell matches
 */
export function tableCells(
  table: PaperTable,
  recipes: readonly Recipe[],
  budgets: Budgets,
  choice: TableChoice,
): TableCell[] {
  const tasks = table.tasks.map((name) => recipes.find((recipe) => recipe.name === name) as Recipe);
  checkTasks(choice.tasks, table);
  checkLevels(choice.budgets, tasks);
  const chosenTasks = choice.tasks ?? table.tasks;
  tellMissingLevels(
    tasks.filter(({ name }) => chosenTasks.includes(name)),
    choice,
  );
  const cells = rowsOf(table, tasks, choice).flatMap((row) =>
    (row.tasks ?? table.tasks).flatMap((name, i) => {
      const recipe = tasks.find((task) => task.name === name) as Recipe;
      if (!chosenTasks.includes(name)) return [];
      if (row.level !== undefined && !recipe.levels[row.level]?.[row.method]) return [];
      return cellOf(table, row, { recipe, figures: row.paper?.[i] }, budgets, choice) ?? [];
    }),
  );
  if (cells.length > 0) return cells;
  const rows = table.rows.filter((row) =>
    (row.tasks ?? table.tasks).some((name) => chosenTasks.includes(name)),
  );
  throw new UserError(
    `No row of ${table.name} matches these flags. Its rows for ${listNames(chosenTasks)}: ${listNames(rows.map(({ row }) => row))}.`,
  );
}

/** Reports requested levels that a task lacks: the levels of its recipe are those of another model. */
function tellMissingLevels(tasks: readonly Recipe[], { budgets = [], onMissing }: TableChoice): void {
  for (const { name, levels } of tasks)
    for (const level of budgets.filter((level) => !levels[level]))
      onMissing?.(`Skipping ${name} at ${level}: its levels are ${listNames(Object.keys(levels))}.`);
}

function cellOf(
  table: PaperTable,
  row: PaperRow,
  { recipe, figures }: { recipe: Recipe; figures?: number | number[] | null },
  budgets: Budgets,
  choice: TableChoice,
): TableCell | undefined {
  const { method, level } = row;
  const { inPlace, settings: others = {} } = choice;
  const { values, settings: ofLevel } = recipeValues(recipe, budgets, { method, budget: level });
  const data = movedFiles(values.data as Record<string, unknown>, choice.data);
  const cellConfig = merged(merged(values, ofLevel), { ...row.settings, data });
  const settled = inPlace ? onModel(cellConfig, recipe, budgets, inPlace) : cellConfig;
  const targets = `${method}.target_modules`;
  if (inPlace && targets in row.settings && inPlace.modelType !== budgets.models[recipe.model]?.model_type) {
    choice.onMissing?.(`Skipping ${row.row}: its ${targets} are those of the paper's model.`);
    return undefined;
  }
  const isPaper = !inPlace && Object.keys(others).length === 0;
  const scores = [table.scores[recipe.name] ?? recipe.scores].flat();
  const paper =
    isPaper && figures != null
      ? Object.fromEntries([figures].flat().map((value, i) => [scores[i], value]))
      : undefined;
  const config = merged(settled, others);
  const keys = ['method', ...Object.keys(ofLevel), ...Object.keys(row.settings)];
  const actual = keys.map((key) => [key, valueAt(config, key.split('.'))]);
  return {
    row: nameOn(row, recipe, budgets, inPlace),
    task: recipe.name,
    settings: Object.fromEntries(actual),
    config,
    grid: choice.tunes && method !== recipe.method ? ratesOf(cellConfig, method, budgets) : [],
    scores,
    ...(paper && { paper }),
    ...(recipe.rows && { paperExamples: { count: recipe.rows, least: recipe.splits_rows } }),
    ...{ recipe, method, level },
  };
}

/** The name of a row. Levels are shares of the paper's model, so a row on another model is named by its mean rank. */
function nameOn(
  { row, level }: PaperRow,
  { model, levels }: Recipe,
  { models }: Budgets,
  other?: ModelInPlace,
): string {
  const facts = models[model];
  const isOwn = !other || (other.modelType === facts?.model_type && other.matrices === facts.matrices);
  if (isOwn || level === undefined || !facts) return row;
  const { target } = Object.assign({}, ...Object.values(levels[level]!)) as { target: string };
  return row.replace(level, `rank ${Number.parseInt(target, 10) / facts.matrices}`);
}

/**
 * The learning rates to try: the paper's and the method's default. For a method that has the recipe's rate, also that
 * one.
 */
function ratesOf(config: Record<string, unknown>, method: string, budgets: Budgets): Settings[] {
  const name = METHOD_NAMES.find((known) => known === method)!;
  const { learning_rate } = config.training as { learning_rate?: number };
  const all = [...budgets.learning_rates, learning_rate ?? [], methodNamed(name).learningRate].flat();
  return [...new Set(all)].sort((a, b) => a - b).map((rate) => ({ 'training.learning_rate': rate }));
}

/**
 * The rows of a table, or of the requested methods and levels. A requested method that the table lacks gets
 * one row per level.
 */
function rowsOf(table: PaperTable, tasks: readonly Recipe[], choice: TableChoice): PaperRow[] {
  const { methods, budgets, onMissing } = choice;
  if (!methods && !budgets) return table.rows;
  const known = methods ?? table.rows.map(({ method }) => method);
  const other = known.find((method) => !METHOD_NAMES.some((name) => name === method));
  if (other !== undefined) throw unknown('--method', 'a method', other, METHOD_NAMES);
  const hasLevels = (method: string) =>
    tasks.some(({ levels }) => Object.values(levels).some((level) => level[method]));
  return [...new Set(known)].flatMap((method) => {
    const methodRows = table.rows.filter((row) => row.method === method);
    if (!hasLevels(method)) {
      if (budgets) onMissing?.(`Skipping ${method}: it has no budget levels.`);
      return budgets
        ? []
        : methodRows.length > 0
          ? methodRows
          : [{ row: titleOf(method), method, settings: {} }];
    }
    const levels = new Set(
      methodRows.length > 0 ? methodRows.map(({ level }) => level) : table.rows.map(({ level }) => level),
    );
    return (budgets ?? [...levels]).flatMap((level): PaperRow[] => {
      if (level === undefined) return methodRows.filter((row) => row.level === undefined);
      const levelRows = methodRows.filter((row) => row.level === level);
      if (levelRows.length > 0) return levelRows;
      if (tasks.some(({ levels }) => levels[level]?.[method]))
        return [{ row: `${titleOf(method)} ${level}`, method, level, settings: {} }];
      onMissing?.(`Skipping ${method} at ${level}: the recipes have no such level.`);
      return [];
    });
  });
}

function titleOf(method: string): string {
  return methodNamed(METHOD_NAMES.find((name) => name === method)!).words.title;
}

function checkTasks(asked: readonly string[] = [], { tasks }: PaperTable): void {
  const other = asked.find((task) => !tasks.includes(task));
  if (other !== undefined) throw unknown('--task', 'a task of the table', other, tasks);
}

function checkLevels(asked: readonly string[] = [], tasks: readonly Recipe[]): void {
  const known = [...new Set(tasks.flatMap(({ levels }) => Object.keys(levels)))];
  const other = asked.find((level) => !known.includes(level));
  if (other !== undefined) throw unknown('--budget', 'a level of the table', other, known);
}

function unknown(key: string, expected: string, got: string, known: readonly string[]): UserError {
  return new UserError({ key, expected, got, hint: suggest(got, known) });
}

/** Replaces the folder `data` in a recipe's paths by another folder. */
function movedFiles(section: Record<string, unknown>, folder: string): Record<string, unknown> {
  const moved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(moved);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, path]) => [name, moved(path)]));
    return typeof value === 'string' && value.startsWith('data/')
      ? folder + value.slice('data'.length)
      : value;
  };
  return { ...section, train: moved(section.train), validation: moved(section.validation) };
}

/**
 * Returns the cell with which a cell is compared: the table's reference method at the same level, on the same
 * task. Undefined for the reference itself, and for cells without a level, such as BitFit.
 */
export function comparedCell(
  cells: readonly TableCell[],
  { row, task }: Pick<TableCell, 'row' | 'task'>,
  reference: string | undefined,
): TableCell | undefined {
  const thisCell = cells.find((cell) => cell.row === row && cell.task === task);
  if (thisCell?.method === reference || thisCell?.level === undefined) return undefined;
  return cells.find(
    ({ method, level, ...cell }) => cell.task === task && level === thisCell.level && method === reference,
  );
}
