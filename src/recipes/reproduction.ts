import { parse } from 'yaml';
import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import { type DataPlaces, validationFiles } from '../tasks/data-files.ts';
import type { Budgets, Recipe } from './recipe.ts';
import { recipeConfig } from './recipe-config.ts';

/** A run of a table: a recipe for a method at a level of the budget, from a seed. */
export interface ReproductionRun {
  /** Its folder below the table's: `glue/cola/lora-0.16/seed-0`. */
  name: string;
  /** The folder of its row, in which that of each seed lies. */
  row: string;
  recipe: Recipe;
  method: string;
  budget?: string;
  seed: number;
  config: Record<string, unknown>;
}

/** The model that takes the place of the recipes' own. */
export interface ModelInPlace {
  /** A folder, or a Hub id. */
  model: string;
  modelType: string;
  /** The linear modules that AdaLoRA adapts in its family, and how many there are. */
  targets: readonly string[];
  matrices: number;
}

export interface ReproductionOptions {
  /** Left out: each recipe's own, from the Hub. */
  inPlace?: ModelInPlace;
  /** The folder in place of the recipes' `data`. */
  data: string;
  /** The table's folder. */
  output: string;
  seeds: number;
  /** These methods and levels, in the paper's table or not; left out, those of the table. */
  only?: { methods?: readonly string[]; budgets?: readonly string[] };
}

/**
 * The runs of the recipes of a table, a seed after the other, so that whoever stops early has all rows: the paper's, or
 * what is asked for, of which the paper may have no figures.
 *
 * @throws UserError for a method or a level that there is not
 */
export function reproductionRuns(
  recipes: readonly Recipe[],
  budgets: Budgets,
  options: ReproductionOptions,
): ReproductionRun[] {
  const { only = {}, output, seeds } = options;
  checkLevels(only.budgets, recipes);
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    recipes.flatMap((recipe) =>
      rowsOf(recipe, only).map(({ method, budget }) => {
        const of = budget === undefined ? method : `${method}-${budget.replace('%', '')}`;
        const row = `${recipe.name}/${of}`;
        const name = `${row}/seed-${seed}`;
        const given = parse(recipeConfig(recipe, budgets, { method, budget }));
        const config = { ...adjusted(given, recipe, budgets, options), output: `${output}/${name}`, seed };
        return { name, row, recipe, method, budget, seed, config };
      }),
    ),
  );
}

/** A row of a table: a method, and a level if it has such. */
type Row = Pick<ReproductionRun, 'method' | 'budget'>;

/**
 * The rows of a recipe: those that the paper's table has of a method, at other levels if they are asked for; of another
 * method one at each level of that table.
 */
function rowsOf(
  { paper, levels }: Recipe,
  { methods, budgets }: NonNullable<ReproductionOptions['only']>,
): Row[] {
  const hasLevels = (method: string) => Object.values(levels).some((level) => level[method]);
  const usual = (method: string) => {
    const own = paper.filter((row) => row.method === method);
    if (own.length === 0 && !hasLevels(method)) return [undefined];
    return (own.length > 0 ? own : paper).map(({ budget }) => budget);
  };
  const wanted = methods ?? paper.map(({ method }) => method);
  return [...new Set(wanted)].flatMap((method) =>
    [...new Set(budgets ?? usual(method))]
      .filter((budget) => (budget === undefined ? !hasLevels(method) : levels[budget]?.[method]))
      .map((budget) => ({ method, budget })),
  );
}

function checkLevels(asked: readonly string[] = [], recipes: readonly Recipe[]): void {
  const known = new Set(recipes.flatMap(({ levels }) => Object.keys(levels)));
  const other = asked.find((level) => !known.has(level));
  if (other === undefined) return;
  const expected = 'a level of the table';
  throw new UserError({ where: '--budget', expected, got: other, hint: suggest(other, known) });
}

/** A recipe's config with the data and the model that there are. */
function adjusted(
  config: Record<string, unknown>,
  { model }: Recipe,
  { models }: Budgets,
  { inPlace, data }: ReproductionOptions,
): Record<string, unknown> {
  const moved = { ...config, data: movedFiles(config.data as object, data) };
  const own = models[model];
  if (!inPlace || !own) return moved;
  const isOwn = inPlace.modelType === own.model_type;
  const factor = inPlace.matrices / own.matrices;
  return Object.fromEntries(
    Object.entries({ ...moved, model: inPlace.model })
      .filter(([key]) => key !== 'model_config' || isOwn)
      .map(([key, section]) => [key, onModel(section, inPlace.targets, factor, isOwn)]),
  );
}

/** A method's section with modules and budget of another model: the mean rank stays as it is. */
function onModel(section: unknown, targets: readonly string[], factor: number, isOwn: boolean): unknown {
  if (typeof section !== 'object' || section === null) return section;
  const { target_budget, target_modules } = section as { target_budget?: number; target_modules?: unknown };
  return {
    ...section,
    ...(target_budget !== undefined && { target_budget: Math.round(target_budget * factor) }),
    ...(target_modules !== undefined && !isOwn && { target_modules: targets }),
  };
}

/** Recipes call the folder of all data sets `data`. */
function movedFiles(section: object, folder: string): object {
  const moved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(moved);
    return typeof value === 'string' && value.startsWith('data/')
      ? folder + value.slice('data'.length)
      : value;
  };
  return Object.fromEntries(
    Object.entries(section).map(([key, value]) => [
      key,
      ['train', 'validation'].includes(key) ? moved(value) : value,
    ]),
  );
}

/** The files that a run reads. */
export function dataFilesOf({ config }: ReproductionRun): string[] {
  const { train, validation } = config.data as DataPlaces;
  return [train, ...validationFiles(validation).map(({ path }) => path)];
}
