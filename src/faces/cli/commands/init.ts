import { existsSync, readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from '../../../input/formats/files.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { RECIPE_FILES } from '../../../studies/recipes/node/recipe-files.ts';
import { packageRecipes } from '../../../studies/recipes/package-recipes.ts';
import { recipeConfig, recipeNamed } from '../../../studies/recipes/recipe.ts';
import { largest } from '../../../support/numbers.ts';
import { PROGRAM } from '../../../support/program.ts';
import { UserError } from '../../../support/user-error.ts';
import { DEFAULT_TASK } from '../../../tasks/registry.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { CONFIG_NAME, schemaLine } from '../config-path.ts';
import { assertNoColumns, type KeyOptions, keySettings } from '../key-options.ts';
import { readConfigText } from '../load-config.ts';
import { newConfig } from '../starting/config-for-data.ts';
import { isDataFile } from '../starting/read-data-file.ts';
import { shellQuoted } from '../terminal/plain-text.ts';

interface Flags extends KeyOptions {
  /** True without a name. */
  recipe?: string | true;
  method?: string;
  budget?: string;
}

/** Writes the starter files, unless one of them exists already. */
export default async function run(folder: string, flags: Flags): Promise<void> {
  if (flags.recipe === true) return listRecipes();
  const isHere = relative('.', folder) === '';
  // The current folder is where a config goes, whatever images and texts are in it.
  if (!isHere && isDataFile(folder)) return configFor(folder, flags);
  assertNoColumns(flags);
  const contents =
    flags.recipe === undefined ? await starter(flags) : [await recipeFile(flags.recipe, flags)];
  const files = contents.map(({ name, content }) => ({ path: join(folder, name), content }));
  const there = files.filter(({ path }) => existsSync(path));
  if (there.length > 0) {
    throw new UserError({
      where: folder,
      fault: `already contains ${there.map(({ path }) => path).join(', ')}`,
      hint: 'Name another folder: adalora init FOLDER',
      code: 'already_exists',
    });
  }
  for (const { path, content } of files)
    atomicWrite(path, extname(path) === '.yaml' ? `${schemaLine(folder)}${content}` : content);
  console.log(`Written: ${files.map(({ path }) => path).join(', ')}`);
  console.log(`Next: ${isHere ? '' : `${shellQuoted(['cd', folder])} && `}npx adalora train`);
}

/** Writes the config for a file of rows into the current folder. */
async function configFor(path: string, flags: Flags): Promise<void> {
  if (existsSync(CONFIG_NAME)) {
    const hint = `Rename it, or train at once: ${PROGRAM} train ${shellQuoted([path])}`;
    throw new UserError({ where: CONFIG_NAME, fault: 'already exists', hint, code: 'already_exists' });
  }
  const text = await newConfig(path, CONFIG_NAME, flags, console.log);
  const config = readConfigText(text, CONFIG_NAME, keySettings(flags));
  parseRunConfig(config.value, config.where);
  atomicWrite(CONFIG_NAME, config.text());
  console.log(`Written: ${CONFIG_NAME}`);
  console.log(`Next: npx ${PROGRAM} train`);
}

/** The starter's files, with the settings of flags in the config. */
async function starter({ budget, ...flags }: Flags) {
  if (budget !== undefined)
    throw new UserError({
      key: '--budget',
      fault: 'requires --recipe',
      hint: `See ${PROGRAM} init --recipe.`,
    });
  const settings = keySettings({ ...flags, task: undefined } as KeyOptions);
  return starterFiles(flags.task).map(({ name, content }) =>
    name === CONFIG_NAME && settings.length > 0
      ? { name, content: readConfigText(content, name, settings).text() }
      : { name, content },
  );
}

async function listRecipes(): Promise<void> {
  const { recipes } = packageRecipes(RECIPE_FILES);
  const width = largest(recipes.map(({ name }) => name.length));
  for (const { name, title, model, levels } of recipes) {
    console.log(`${name.padEnd(width)}  ${title}`);
    const budgets = Object.keys(levels);
    console.log(
      `${' '.repeat(width)}  ${model}${budgets.length > 0 ? `; budgets ${budgets.join(', ')}` : ''}`,
    );
  }
  console.log(
    `Write a recipe: ${PROGRAM} init --recipe ${recipes[0]!.name} [--method lora] [--budget 0.16%]`,
  );
}

async function recipeFile(name: string, choice: Flags) {
  const { recipes, budgets } = packageRecipes(RECIPE_FILES);
  const { recipe: _, budget, method, ...flags } = choice;
  if (flags.task !== undefined)
    throw new UserError({ key: '--task', fault: 'cannot be combined with --recipe' });
  const content = recipeConfig(recipeNamed(name, recipes, '--recipe'), budgets, { budget, method });
  const settings = keySettings(flags);
  return { name: CONFIG_NAME, content: readConfigText(content, CONFIG_NAME, settings).text() };
}

/** The package's root is three folders above this file, both in the source and in the build. */
const STARTER = fileURLToPath(new URL('../../../../examples/starter', import.meta.url));

/**
 * The files of `adalora init`, the config first: a commented config, and example rows to replace. Training
 * and evaluation rows do not overlap.
 *
 * @param name a task, or a use of one such as tools
 * @throws UserError for a name without starter files
 */
export function starterFiles(name: string = DEFAULT_TASK): { name: string; content: string }[] {
  const entries = readdirSync(STARTER, { withFileTypes: true });
  const others = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const known = [DEFAULT_TASK, ...others];
  if (!known.includes(name)) {
    const hint = "For other tasks, see the configs in the package's folder examples.";
    throw new UserError({ key: '--task', expected: `one of ${known.join(', ')}`, got: name, hint });
  }
  const folder = name === DEFAULT_TASK ? STARTER : join(STARTER, name);
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const rows = files.map((entry) => entry.name).filter((file) => file !== CONFIG_NAME);
  return [CONFIG_NAME, ...rows.sort()].map((file) => ({
    name: file,
    content: readText(disk, join(folder, file), 'a file of the package'),
  }));
}
