import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { assertNewFolder } from '../../formats/node/assert-new-folder.ts';
import type { Recipe } from '../../recipes/recipe.ts';
import type { ReproductionRun } from '../../recipes/reproduction.ts';
import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { repeated } from '../flags.ts';
import { inShard, type Shard, shardOption } from '../shard.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { tellTrained } from '../tell-trained.ts';

interface Flags {
  model?: string;
  data: string;
  output?: string;
  seeds: number;
  shard: Shard;
  method: string[];
  budget: string[];
  set: string[];
  resume?: boolean;
  plan?: boolean;
}

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description("Run a table of the paper on the data that you have, and compare with the paper's figures.")
    .argument('<table>', 'glue, squad or summarisation')
    .option('--model <folder or id>', "base model (default: the paper's, from the Hub)")
    .option('--data <folder>', 'folder of the data sets, such as glue/CoLA', 'data')
    .option('-o, --output <folder>', 'output folder (default: runs/TABLE)')
    .option('--seeds <n>', 'seeds per row', countFrom1, 5)
    .addOption(shardOption())
    .option('--method <name>', 'run only this method (repeatable)', repeated, [])
    .option('--budget <level>', 'run only this budget (repeatable)', repeated, [])
    .option('--set <key=value>', 'set a key in every config (repeatable)', repeated, [])
    .option('--resume', 'continue with the runs in the output folder')
    .option('--plan', 'print the runs and their time on this machine, then stop')
    .action(run);
}

async function run(table: string, flags: Flags): Promise<void> {
  const { model, data, output = join('runs', table), seeds, method, budget, resume } = flags;
  const { packageRecipes } = await import('../../recipes/node/package-recipes.ts');
  const { budgets, recipes: all } = packageRecipes();
  const recipes = recipesOf(table, all);
  const { modelInPlace } = await import('../../jobs/node/reproduce/model-in-place.ts');
  const { dataFilesOf, reproductionRuns } = await import('../../recipes/reproduction.ts');
  if (!resume) assertNewFolder(output);
  const only = {
    ...(method.length > 0 && { methods: method }),
    ...(budget.length > 0 && { budgets: budget }),
  };
  const inPlace = model === undefined ? undefined : await modelInPlace(model, recipes[0]);
  const settled = await settings(flags.set);
  const runs = reproductionRuns(recipes, budgets, { inPlace, data, output, seeds, only }).map((run) =>
    settled(run),
  );
  const absent = (run: ReproductionRun) => dataFilesOf(run).filter((file) => !existsSync(file));
  const [there, missing] = [true, false].map((has) =>
    runs.filter((run) => (absent(run).length === 0) === has),
  );
  for (const name of new Set(missing.map(({ recipe }) => recipe.name))) {
    console.error(
      `${name} is left out: ${absent(missing.find(({ recipe }) => recipe.name === name)!).join(', ')} is missing.`,
    );
  }
  if (there.length === 0) {
    const got = runs.length === 0 ? 'no row of the table' : `none in ${data}`;
    throw new UserError({ where: 'reproduce', expected: 'rows with their data', got });
  }
  const { assertOwnRuns } = await import('../../jobs/node/runs/assert-own-runs.ts');
  await assertOwnRuns(there);
  const own = inShard(there, flags.shard);
  const stop = stopOnSignal(() => console.error('Stopping: the run writes a checkpoint.'));
  try {
    const { planDisplay, runsDisplay } = await import('../terminal/runs-display.ts');
    const { estimateRuns } = await import('../../jobs/node/reproduce/estimate-runs.ts');
    if (!resume || flags.plan) await estimateRuns(own, planDisplay(process.stdout, own.length), stop.signal);
    if (flags.plan) return;
    const { trainAll } = await import('../../jobs/node/runs/train-all.ts');
    const { writeResults } = await import('../../jobs/node/reproduce/write-results.ts');
    const display = runsDisplay(process.stdout, own);
    const trained = await trainAll(own, { output, ...display, signal: stop.signal });
    tellTrained(output, trained, writeResults(there, output, budgets.compared_with)?.markdown);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = STOPPED;
  } finally {
    stop.release();
  }
  if (process.exitCode === STOPPED) console.error('To continue: the same command with --resume');
}

function recipesOf(table: string, all: readonly Recipe[]): Recipe[] {
  const recipes = all.filter((recipe) => recipe.table === table);
  if (recipes.length > 0) return recipes;
  const tables = new Set(all.flatMap((recipe) => recipe.table ?? []));
  throw new UserError({ where: 'reproduce', expected: 'a table', got: table, hint: suggest(table, tables) });
}

/** Applies the settings of `--set` to a run's config. */
async function settings(given: readonly string[]): Promise<(run: ReproductionRun) => ReproductionRun> {
  const { Document } = await import('yaml');
  const { applySetting } = await import('../apply-setting.ts');
  return (run) => {
    const document = new Document(run.config);
    for (const setting of given) applySetting(document, setting);
    return { ...run, config: document.toJS() };
  };
}

function countFrom1(value: string): number {
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('expected a count from 1.');
}
