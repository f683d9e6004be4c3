import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from '../../../input/formats/node/read-text.ts';
import { suggest } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { type PaperTable, parsePaperTable } from '../paper-table.ts';
import { type Budgets, parseBudgets, parseRecipe, type Recipe } from '../recipe.ts';

/** The package's folder is three levels above this file, in the source and in the build. */
const FOLDER = fileURLToPath(new URL('../../../../recipes', import.meta.url));
const BUDGETS = 'budgets.yaml';
const TABLES = 'tables/';

/** Reads the package's recipes by name, their budget levels, and the paper's tables that contain them. */
export function packageRecipes(): { recipes: Recipe[]; budgets: Budgets; tables: PaperTable[] } {
  const read = (path: string) => readText(join(FOLDER, path), 'a recipe of the package');
  const budgets = parseBudgets(read(BUDGETS));
  const paths = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.yaml') && path !== BUDGETS)
    .sort(new Intl.Collator('en', { numeric: true }).compare);
  const nameOf = (path: string) => path.slice(0, -'.yaml'.length);
  const [tables, recipes] = [true, false].map((are) =>
    paths.filter((path) => path.startsWith(TABLES) === are),
  ) as [string[], string[]];
  return {
    budgets,
    recipes: recipes.map((path) => parseRecipe(nameOf(path), read(path), budgets)),
    tables: tables.map((path) => parsePaperTable(nameOf(path).slice(TABLES.length), read(path))),
  };
}

/**
 * Returns the recipe with a name.
 *
 * @throws UserError for an unknown name, with the nearest names
 */
export function recipeNamed(name: string, recipes: readonly Recipe[]): Recipe {
  const match = recipes.find((recipe) => recipe.name === name);
  if (match) return match;
  const hint = suggest(
    name,
    recipes.map((recipe) => recipe.name),
  );
  throw new UserError({ where: '--recipe', fault: `names ${name}, which is not a recipe`, hint });
}
