import { METHOD_NAMES, methodNamed } from '../../methods/tuners/registry.ts';
import { isObject, mapValues } from '../../support/options.ts';
import { type Budgets, levelSettings, type Recipe, recipeValues } from '../recipes/recipe.ts';
import { type Config, mergeSettings, type Settings } from './settings.ts';

/** The recipes, and the model that replaces theirs. */
export interface RecipeBooks {
  recipes: readonly Recipe[];
  budgets: Budgets;
  /** Default: each recipe's own model, from the Hub. */
  inPlace?: ModelInPlace;
  /** Called with a message for each row that is left out. */
  onNotice?(message: string): void;
}

/** A model that is used instead of the recipes' own. */
export interface ModelInPlace {
  /** A folder, or a Hub id. */
  model: string;
  modelType: string;
  /** The linear modules that AdaLoRA adapts in this family, and their number. */
  targets: readonly string[];
  matrices: number;
}

/** A row of a comparison on the task of a recipe. */
interface RecipeRow {
  recipe: Recipe;
  method: string;
  /** The row's name for the model that it trains. */
  row: string;
  /** The recipe's config for the row's method, at the row's budget level. */
  config: Config;
  /** The settings of the method at the level, by dotted keys. */
  settings: Settings;
}

/**
 * The settings that a row adds to a recipe. Undefined if the recipe does not have the row's level for the row's method, or the row
 * names matrices of the recipe's model and another one is used.
 *
 * @throws UserError for an unknown method
 */
export function recipeRow(
  {
    name,
    recipe,
    method: given,
    level,
    set,
    folder,
  }: {
    name: string;
    recipe: Recipe;
    method: unknown;
    level: string | undefined;
    set: Config;
    folder: string;
  },
  { budgets, inPlace, onNotice }: RecipeBooks,
): RecipeRow | undefined {
  const method = typeof given === 'string' ? given : recipe.method;
  if (level !== undefined && !recipe.levels[level]?.[method]) return undefined;
  const values = recipeValues(recipe, budgets, { method, budget: level });
  const targets = `${method}.target_modules`;
  if (inPlace && targets in set && inPlace.modelType !== budgets.models[recipe.model]?.model_type) {
    onNotice?.(`Skipping ${name}: its ${targets} are those of the paper's model.`);
    return undefined;
  }
  const own = mergeSettings(values, { data: movedFiles(values.data as Config, folder) });
  return {
    recipe,
    method,
    row: rowOn(name, level, recipe, budgets, inPlace),
    config: inPlace ? onModel(own, recipe, budgets, inPlace) : own,
    settings: { method, ...(level !== undefined && levelSettings(recipe, method, level)) },
  };
}

/**
 * The learning rates to try: the paper's and the method's default. For a method that has the recipe's rate, also that
 * one. None for the recipe's own method, whose rate the paper states.
 */
export function recipeRates({ recipe, method, config }: RecipeRow, { budgets }: RecipeBooks): Settings[] {
  if (method === recipe.method) return [];
  const name = METHOD_NAMES.find((known) => known === method)!;
  const { learning_rate } = config.training as { learning_rate?: number };
  const all = [...budgets.learning_rates, learning_rate ?? [], methodNamed(name).learningRate].flat();
  return [...new Set(all)].sort((a, b) => a - b).map((rate) => ({ 'training.learning_rate': rate }));
}

/** The name of a row. Levels are shares of the paper's model, so a row on another model is named by its mean rank. */
function rowOn(
  name: string,
  level: string | undefined,
  { model, levels }: Recipe,
  { models }: Budgets,
  other: ModelInPlace | undefined,
): string {
  const facts = models[model];
  const isOwn = !other || (other.modelType === facts?.model_type && other.matrices === facts.matrices);
  if (isOwn || level === undefined || !facts) return name;
  const { target } = Object.assign({}, ...Object.values(levels[level]!)) as { target: string };
  return name.replace(level, `rank ${Number.parseInt(target, 10) / facts.matrices}`);
}

/** Adapts a recipe's config to another model. Mean ranks stay the same. */
function onModel(config: Config, { model }: Recipe, { models }: Budgets, inPlace: ModelInPlace): Config {
  const facts = models[model];
  if (!facts) return config;
  const isOwn = inPlace.modelType === facts.model_type;
  const factor = inPlace.matrices / facts.matrices;
  return Object.fromEntries(
    Object.entries({ ...config, model: inPlace.model })
      .filter(([key]) => key !== 'model_config' || isOwn)
      .map(([key, section]) => [key, sectionOn(section, inPlace.targets, factor, isOwn)]),
  );
}

function sectionOn(section: unknown, targets: readonly string[], factor: number, isOwn: boolean): unknown {
  if (!isObject(section)) return section;
  const { target, target_modules } = section as { target?: string; target_modules?: unknown };
  return {
    ...section,
    ...(target !== undefined && {
      target: target.replace(/^\d+/, (count) => `${Math.round(Number(count) * factor)}`),
    }),
    ...(target_modules !== undefined && !isOwn && { target_modules: targets }),
  };
}

/** Replaces the folder `data` in a recipe's paths by another folder. */
function movedFiles({ train, validation }: Config, folder: string): Config {
  const moved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(moved);
    if (isObject(value)) return mapValues(value, moved);
    return typeof value === 'string' && value.startsWith('data/')
      ? folder + value.slice('data'.length)
      : value;
  };
  return { train: moved(train), validation: moved(validation) };
}
