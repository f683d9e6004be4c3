import { type FolderFiles, readText } from '../../input/formats/files.ts';
import { type Budgets, parseBudgets, parseRecipe, type Recipe } from './recipe.ts';

const BUDGETS = 'budgets.yaml';
const TABLES = 'tables/';

/** Reads the package's recipes by name, and their budget levels. */
export function packageRecipes(folder: FolderFiles): { recipes: Recipe[]; budgets: Budgets } {
  const readRecipe = (path: string) => readText(folder, path, 'a recipe of the package');
  const budgets = parseBudgets(readRecipe(BUDGETS));
  const paths = configs(folder).filter((path) => path !== BUDGETS && !path.startsWith(TABLES));
  return { budgets, recipes: paths.map((path) => parseRecipe(readName(path), readRecipe(path), budgets)) };
}

/** The files of the paper's tables and figures by name, such as `table1`. Each is a comparison of recipes. */
export function paperTables(folder: FolderFiles): Record<string, string> {
  const paths = configs(folder).filter((path) => path.startsWith(TABLES));
  return Object.fromEntries(
    paths.map((path) => [readName(path).slice(TABLES.length), folder.path(path)] as const),
  );
}

/** The paths of the package's YAML files, such as `glue/cola.yaml`. */
function configs(folder: FolderFiles): string[] {
  const paths = folder.listAll().filter((path) => path.endsWith('.yaml'));
  return paths.sort(new Intl.Collator('en', { numeric: true }).compare);
}

function readName(path: string): string {
  return path.slice(0, -'.yaml'.length);
}
