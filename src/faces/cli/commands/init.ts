import { existsSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { Command } from 'commander';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { largest } from '../../../support/numbers.ts';
import { PROGRAM } from '../../../support/program.ts';
import { UserError } from '../../../support/user-error.ts';
import { CONFIG_NAME, schemaLine } from '../config-path.ts';
import { addConfigOptions, assertNoColumns, type KeyOptions, keySettings } from '../key-options.ts';
import { shellQuoted } from '../terminal/plain-text.ts';

export function initCommand(): Command {
  const command = new Command('init')
    .description('Write an example config with sample rows, or the config for a file of your own.')
    .argument(
      '[folder or rows]',
      'folder to write to, or a file of rows (CSV, TSV, JSON Lines, parquet)',
      '.',
    )
    .option(
      '--recipe [name]',
      'write the config of a recipe instead: an experiment of the AdaLoRA paper, or with another model; without a name, list them',
    )
    .option('--budget <level>', 'with --recipe: share of parameters to train, such as 0.16%');
  return addConfigOptions(command).action(run);
}

interface Flags extends KeyOptions {
  /** True without a name. */
  recipe?: string | true;
  method?: string;
  budget?: string;
}

/** Writes the starter files, unless one of them exists already. */
async function run(folder: string, flags: Flags): Promise<void> {
  if (flags.recipe === true) return listRecipes();
  const { isDataFile } = await import('../starting/read-data-file.ts');
  const isHere = relative('.', folder) === '';
  // The current folder is where a config goes, whatever pictures and texts are in it.
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
  const { newConfig } = await import('../starting/config-for-data.ts');
  const { readConfigText } = await import('../load-config.ts');
  const { parseRunConfig } = await import('../../../training/run/config/parse-run-config.ts');
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
  const { starterFiles } = await import('../starter-files.ts');
  const { readConfigText } = await import('../load-config.ts');
  const settings = keySettings({ ...flags, task: undefined } as KeyOptions);
  return starterFiles(flags.task).map(({ name, content }) =>
    name === CONFIG_NAME && settings.length > 0
      ? { name, content: readConfigText(content, name, settings).text() }
      : { name, content },
  );
}

async function listRecipes(): Promise<void> {
  const { RECIPE_FILES } = await import('../../../studies/recipes/node/recipe-files.ts');
  const { packageRecipes } = await import('../../../studies/recipes/package-recipes.ts');
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
  const { RECIPE_FILES } = await import('../../../studies/recipes/node/recipe-files.ts');
  const { packageRecipes } = await import('../../../studies/recipes/package-recipes.ts');
  const { recipeConfig, recipeNamed } = await import('../../../studies/recipes/recipe.ts');
  const { recipes, budgets } = packageRecipes(RECIPE_FILES);
  const { recipe: _, budget, method, ...flags } = choice;
  if (flags.task !== undefined)
    throw new UserError({ key: '--task', fault: 'cannot be combined with --recipe' });
  const { readConfigText } = await import('../load-config.ts');
  const content = recipeConfig(recipeNamed(name, recipes, '--recipe'), budgets, { budget, method });
  const settings = keySettings(flags);
  return { name: CONFIG_NAME, content: readConfigText(content, CONFIG_NAME, settings).text() };
}
