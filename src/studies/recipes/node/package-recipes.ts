import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTextNow } from '../../../input/formats/files.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { type Budgets, parseBudgets, parseRecipe, type Recipe } from '../recipe.ts';

/** The package's folder is four levels above this file, in the source and in the build. */
const FOLDER = fileURLToPath(new URL('../../../../recipes', import.meta.url));
const BUDGETS = 'budgets.yaml';
const TABLES = 'tables/';

/** Reads the package's recipes by name, and their budget levels. */
export function packageRecipes(): { recipes: Recipe[]; budgets: Budgets } {
  const read = (path: string) => readTextNow(disk, join(FOLDER, path), 'a recipe of the package');
  const budgets = parseBudgets(read(BUDGETS));
  const paths = configs().filter((path) => path !== BUDGETS && !path.startsWith(TABLES));
  return { budgets, recipes: paths.map((path) => parseRecipe(readName(path), read(path), budgets)) };
}

/** The files of the paper's tables and figures by name, such as `table1`. Each is a comparison of recipes. */
export function paperTables(): Record<string, string> {
  const paths = configs().filter((path) => path.startsWith(TABLES));
  return Object.fromEntries(paths.map((path) => [readName(path).slice(TABLES.length), join(FOLDER, path)]));
}

/** The paths of the package's YAML files, such as `glue/cola.yaml`. */
function configs(): string[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.yaml'))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
}

function readName(path: string): string {
  return path.slice(0, -'.yaml'.length);
}
