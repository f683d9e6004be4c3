import { Command } from 'commander';
import { PROGRAM } from '../../../support/program.ts';

export function recipesCommand(): Command {
  return new Command('recipes')
    .description('List the recipes: experiments of the AdaLoRA paper, and experiments with other models.')
    .option('--json', 'print JSON Lines')
    .action(run);
}

async function run({ json }: { json?: boolean }): Promise<void> {
  const { packageRecipes } = await import('../../../studies/recipes/node/package-recipes.ts');
  const { recipes, tables } = packageRecipes();
  if (json) {
    const { parse } = await import('yaml');
    for (const { config, levels, ...recipe } of recipes) {
      console.log(JSON.stringify({ ...recipe, budgets: Object.keys(levels), config: parse(config) }));
    }
    return;
  }
  const width = Math.max(...recipes.map(({ name }) => name.length));
  for (const { name, title, model, levels } of recipes) {
    console.log(`${name.padEnd(width)}  ${title}`);
    const budgets = Object.keys(levels);
    console.log(
      `${' '.repeat(width)}  ${model}${budgets.length > 0 ? `; budgets ${budgets.join(', ')}` : ''}`,
    );
  }
  console.log(`\nTables and figures of the paper: ${tables.map(({ name }) => name).join(', ')}`);
  console.log(
    `Write a recipe: ${PROGRAM} init --recipe ${recipes[0]!.name} [--method lora] [--budget 0.16%]`,
  );
}
