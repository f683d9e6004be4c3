import { parseDocument } from 'yaml';
import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import type { Budgets, Recipe } from './recipe.ts';

/** What is chosen of a recipe. */
export interface RecipeChoice {
  /** Default: the recipe's own. */
  method?: string;
  /** The name of a level of the budget; default: that of the recipe's config. */
  budget?: string;
}

/**
 * The config of a recipe for a method at a level of the budget, a commented YAML file.
 *
 * @param methods the names of all methods
 * @throws UserError for a method or a level that there is not
 */
export function recipeConfig(
  recipe: Recipe,
  { same_learning_rate }: Pick<Budgets, 'same_learning_rate'>,
  { method = recipe.method, budget }: RecipeChoice,
  methods: readonly string[],
): string {
  if (!methods.includes(method)) throw unknown('--method', 'a method', method, methods);
  const document = parseDocument(recipe.config);
  document.set('method', method);
  document.set('output', [document.get('output'), ...differences(recipe, method, budget)].join('-'));
  if (method !== recipe.method && !same_learning_rate.includes(method)) {
    document.deleteIn(['training', 'learning_rate']);
  }
  if (budget !== undefined) {
    const level = recipe.levels[budget];
    if (!level) throw unknown('--budget', `a level of ${recipe.name}`, budget, Object.keys(recipe.levels));
    if (!level[method]) {
      const having = Object.keys(recipe.levels).filter((name) => recipe.levels[name][method]);
      throw unknown('--budget', `a level of ${method} in ${recipe.name}`, budget, having);
    }
    for (const [key, value] of Object.entries(level[method])) document.setIn([method, key], value);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** What the run's folder has behind its name: two runs of a recipe do not share one. */
function differences(recipe: Recipe, method: string, budget: string | undefined): string[] {
  return [
    ...(method === recipe.method ? [] : [method]),
    ...(budget === undefined ? [] : [budget.replace('%', '')]),
  ];
}

function unknown(where: string, expected: string, got: string, known: readonly string[]): UserError {
  const hint = known.length > 0 ? suggest(got, known) : 'It has none: leave --budget out.';
  return new UserError({ where, expected, got, hint });
}
