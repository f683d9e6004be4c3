import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { PROGRAM } from '../../support/program.ts';
import { UserError } from '../../support/user-error.ts';
import { CONFIG_NAME } from '../config-path.ts';
import { shellQuoted } from '../shell-quoted.ts';

export function initCommand(): Command {
  return new Command('init')
    .description('Write a commented config and some labelled rows that `adalora train` can use at once.')
    .argument('[folder]', 'folder to write to (default: the current folder)', '.')
    .option('--recipe <name>', `write the config of a recipe instead (see \`${PROGRAM} recipes\`)`)
    .option('--method <name>', 'with --recipe: train with this method')
    .option('--budget <level>', 'with --recipe: budget, such as 0.16%')
    .action(run);
}

interface Flags {
  recipe?: string;
  method?: string;
  budget?: string;
}

/** All files or none: where one is there already, nothing is written. */
async function run(folder: string, flags: Flags): Promise<void> {
  const contents =
    flags.recipe === undefined ? await starter(flags) : [await recipeFile(flags.recipe, flags)];
  const files = contents.map(({ name, content }) => ({ path: join(folder, name), content }));
  const there = files.filter(({ path }) => existsSync(path));
  if (there.length > 0) {
    throw new UserError({
      where: folder,
      expected: 'a folder without the files that are to be written',
      got: there.map(({ path }) => path).join(', '),
      hint: 'Name another folder: adalora init FOLDER',
    });
  }
  for (const { path, content } of files) atomicWrite(path, content);
  console.log(`Written: ${files.map(({ path }) => path).join(', ')}`);
  const isHere = relative('.', folder) === '';
  console.log(`Next: ${isHere ? '' : `${shellQuoted(['cd', folder])} && `}npx adalora train`);
}

async function starter({ method, budget }: Flags) {
  const { starterFiles } = await import('../starter-files.ts');
  const flag = method === undefined ? '--budget' : '--method';
  if (method === undefined && budget === undefined) return starterFiles();
  throw new UserError({
    where: flag,
    expected: '--recipe with it',
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
