import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from '../../formats/node/read-text.ts';
import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { type Budgets, parseBudgets, parseRecipe, type Recipe } from '../recipe.ts';

/** Three folders up from this file lies the package, from its source and from what is built of it alike. */
const FOLDER = fileURLToPath(new URL('../../../recipes', import.meta.url));
const BUDGETS = 'budgets.yaml';

/** The recipes that come with the package, by name, and their levels of budget. */
export function packageRecipes(): { recipes: Recipe[]; budgets: Budgets } {
  const read = (file: string) => readText(join(FOLDER, file), 'a recipe of the package');
  const budgets = parseBudgets(read(BUDGETS));
  const recipes = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.yaml') && path !== BUDGETS)
    .sort()
    .map((path) => parseRecipe(path.slice(0, -'.yaml'.length), read(path), budgets));
  return { recipes, budgets };
}

/** The recipe of a name. Throws a UserError with the nearest names where there is none. */
export function recipeNamed(name: string, recipes: readonly Recipe[]): Recipe {
  const found = recipes.find((recipe) => recipe.name === name);
  if (found) return found;
  const hint = suggest(
    name,
    recipes.map((recipe) => recipe.name),
  );
  throw new UserError({ where: '--recipe', expected: 'the name of a recipe', got: name, hint });
}
