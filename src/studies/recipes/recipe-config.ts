import { isScalar, parse, parseDocument } from 'yaml';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../methods/tuners/registry.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import type { Budgets, Recipe } from './recipe.ts';

/** The user's choices for a recipe. */
export interface RecipeChoice {
  /** Default: the recipe's own method. */
  method?: string;
  /** The name of a budget level. Default: the level in the recipe's config. */
  budget?: string;
}

/**
 * Returns the config of a recipe for a method at a budget level: a commented YAML file without the sections of other
 * methods.
 *
 * @throws UserError for an unknown method or level
 */
export function recipeConfig(
  recipe: Recipe,
  { same_learning_rate }: Pick<Budgets, 'same_learning_rate'>,
  { method = recipe.method, budget }: RecipeChoice,
): string {
  const { settings, leavesRate } = chosenSettings(recipe, { same_learning_rate }, { method, budget });
  const document = parseDocument(recipe.config);
  document.set('method', method);
  document.set('output', [document.get('output'), ...differences(recipe, method, budget)].join('-'));
  for (const other of METHOD_NAMES) if (other !== method) document.delete(other);
  for (const [key, value] of Object.entries(settings)) {
    const path = key.split('.');
    document.setIn(path, value);
    const node = document.getIn(path, true);
    if (!isScalar(node)) continue;
    const scripts = recipe.scripts[`${budget}`]?.[key];
    if (scripts !== undefined) node.comment = ` released scripts: ${scripts}`;
  }
  if (leavesRate) document.deleteIn(['training', 'learning_rate']);
  if (methodNamed(method as MethodName).config && !document.has(method)) {
    const section = document.createPair(document.createNode(method), {});
    section.key.commentBefore = " The method's defaults: the recipe has none for it.";
    document.add(section);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Like {@link recipeConfig}, but returns values instead of a text. Each recipe's config is parsed only once. */
export function recipeValues(
  recipe: Recipe,
  budgets: Pick<Budgets, 'same_learning_rate'>,
  { method = recipe.method, budget }: RecipeChoice,
): { values: Record<string, unknown>; settings: Readonly<Record<string, unknown>> } {
  const { settings, leavesRate } = chosenSettings(recipe, budgets, { method, budget });
  const values = PARSED.get(recipe) ?? (parse(recipe.config) as Record<string, unknown>);
  PARSED.set(recipe, values);
  const kept = Object.entries(values).filter(([key]) => key === method || !isMethod(key));
  const { learning_rate: _, ...training } = values.training as Record<string, unknown>;
  return {
    values: { ...Object.fromEntries(kept), ...(leavesRate && { training }), method },
    settings,
  };
}

const PARSED = new WeakMap<Recipe, Record<string, unknown>>();

/**
 * The settings to change in a recipe's config for a method at a budget level, by dotted keys. With `leavesRate` the
 * recipe's learning rate is removed, so that the method's default is used: for all methods except the recipe's own and
 * those in `same_learning_rate`.
 */
function chosenSettings(
  recipe: Recipe,
  { same_learning_rate }: Pick<Budgets, 'same_learning_rate'>,
  { method, budget }: RecipeChoice & { method: string },
): { settings: Record<string, unknown>; leavesRate: boolean } {
  if (!isMethod(method)) throw unknown('--method', 'a method', method, METHOD_NAMES);
  const leavesRate = method !== recipe.method && !same_learning_rate.includes(method);
  if (budget === undefined) return { settings: {}, leavesRate };
  const level = recipe.levels[budget];
  if (!level) throw unknown('--budget', `a level of ${recipe.name}`, budget, Object.keys(recipe.levels));
  if (!level[method]) {
    const having = Object.keys(recipe.levels).filter((name) => recipe.levels[name]![method]);
    throw unknown('--budget', `a level of ${method} in ${recipe.name}`, budget, having);
  }
  const ofLevel = Object.entries(level[method]).map(([key, value]) => [`${method}.${key}`, value]);
  return { settings: Object.fromEntries(ofLevel), leavesRate };
}

function isMethod(name: string): name is MethodName {
  return (METHOD_NAMES as readonly string[]).includes(name);
}

/** Suffixes of the run's folder. They keep the folders of a recipe's runs apart. */
function differences(recipe: Recipe, method: string, budget: string | undefined): string[] {
  return [
    ...(method === recipe.method ? [] : [method]),
    ...(budget === undefined ? [] : [budget.replace('%', '')]),
  ];
}

function unknown(key: string, expected: string, got: string, known: readonly string[]): UserError {
  const hint = known.length > 0 ? suggest(got, known) : 'It has none: leave --budget out.';
  return new UserError({ key, expected, got, hint });
}
