import { existsSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import { PROGRAM } from '../../support/program.ts';
import { UserError } from '../../support/user-error.ts';
import { CONFIG_NAME } from '../config-path.ts';
import { addColumnFlags } from '../flags.ts';
import { schemaLine } from '../schema-line.ts';
import { shellQuoted } from '../shell-quoted.ts';
import type { ColumnFlags } from '../starting/choose-columns.ts';

export function initCommand(): Command {
  const command = new Command('init')
    .description('Write an example config with sample rows, or the config for a file of your own.')
    .argument(
      '[folder or rows]',
      'folder to write to, or a file of rows (CSV, TSV, JSON Lines, parquet)',
      '.',
    )
    .addOption(
      new Option(
        '--task <name>',
        'write the config and rows of another task, such as causal_lm (a chat model)',
      ).conflicts('recipe'),
    )
    .option('--recipe <name>', `write the config of a recipe instead (see \`${PROGRAM} recipes\`)`)
    .option('--method <name>', 'with --recipe: train with this method')
    .option('--budget <level>', 'with --recipe: share of parameters to train, such as 0.16%');
  return addColumnFlags(command).action(run);
}

interface Flags extends ColumnFlags {
  task?: string;
  recipe?: string;
  method?: string;
  budget?: string;
}

/** Writes the starter files, unless one of them exists already. */
async function run(folder: string, flags: Flags): Promise<void> {
  const { isDataFile } = await import('../starting/read-data-file.ts');
  if (isDataFile(folder)) return configFor(folder, flags);
  const contents =
    flags.recipe === undefined ? await starter(flags) : [await recipeFile(flags.recipe, flags)];
  const files = contents.map(({ name, content }) => ({ path: join(folder, name), content }));
  const there = files.filter(({ path }) => existsSync(path));
  if (there.length > 0) {
    throw new UserError({
      where: folder,
      fault: `already contains ${there.map(({ path }) => path).join(', ')}`,
      hint: 'Name another folder: adalora init FOLDER',
    });
  }
  for (const { path, content } of files)
    atomicWrite(path, extname(path) === '.yaml' ? `${schemaLine(folder)}${content}` : content);
  console.log(`Written: ${files.map(({ path }) => path).join(', ')}`);
  const isHere = relative('.', folder) === '';
  console.log(`Next: ${isHere ? '' : `${shellQuoted(['cd', folder])} && `}npx adalora train`);
}

/** Writes the config for a file of rows into the current folder. */
async function configFor(path: string, flags: Flags): Promise<void> {
  if (existsSync(CONFIG_NAME)) {
    const hint = `Rename it, or train at once: ${PROGRAM} train ${shellQuoted([path])}`;
    throw new UserError({ where: CONFIG_NAME, fault: 'already exists', hint });
  }
  const { writeDataConfig } = await import('../starting/config-for-data.ts');
  await writeDataConfig(path, CONFIG_NAME, flags, console.log);
  console.log(`Next: npx ${PROGRAM} train`);
}

async function starter({ task, method, budget }: Flags) {
  const { starterFiles } = await import('../starter-files.ts');
  const flag = method === undefined ? '--budget' : '--method';
  if (method === undefined && budget === undefined) return starterFiles(task);
  throw new UserError({
    where: flag,
    fault: 'requires --recipe',
    got: 'none',
    hint: `See ${PROGRAM} recipes.`,
  });
}

async function recipeFile(name: string, choice: Flags) {
  const { packageRecipes, recipeNamed } = await import('../../recipes/node/package-recipes.ts');
  const { recipeConfig } = await import('../../recipes/recipe-config.ts');
  const { recipes, budgets } = packageRecipes();
  const content = recipeConfig(recipeNamed(name, recipes), budgets, choice);
  return { name: CONFIG_NAME, content };
}
