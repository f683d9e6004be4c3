import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Settings } from '../../../studies/experiments/settings.ts';
import type { TableCell } from '../../../studies/experiments/tables/table-cells.ts';
import type { PaperTable } from '../../../studies/recipes/paper-table.ts';
import { suggest } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { repeated, threadsOption } from '../flags.ts';
import type { ExperimentFlags } from '../run-experiment.ts';
import { shardOption } from '../shard.ts';

interface Flags extends ExperimentFlags {
  model?: string;
  data: string;
  output?: string;
  seeds: number;
  task: string[];
  method: string[];
  budget: string[];
  set: string[];
  tune?: boolean;
}

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description("Run a table of the paper on the data that you have, and compare with the paper's figures.")
    .argument('<table>', 'table1 to table5, table14, table15, figure1 to figure4')
    .option('--model <folder or id>', "base model (default: the paper's, from the Hub)")
    .option(
      '--data <folder>',
      'folder of the data sets: CoLA, for example, is read from FOLDER/glue/CoLA',
      'data',
    )
    .option('-o, --output <folder>', 'output folder (default: runs/TABLE)')
    .option('--seeds <n>', 'seeds per row', countFrom1, 5)
    .option('--tune', 'tune learning rates that the paper does not state, on held-out training rows')
    .addOption(shardOption())
    .option('--task <recipe>', 'run only this task (repeatable)', repeated, [])
    .option('--method <name>', 'run only this method (repeatable)', repeated, [])
    .option('--budget <level>', 'run only this budget (repeatable)', repeated, [])
    .option('--set <key=value>', 'set a key in every config (repeatable)', repeated, [])
    .addOption(threadsOption())
    .option('--resume', 'continue with the runs in the output folder')
    .option('--plan', 'print the runs and their time on this machine, then stop')
    .option('--json', "with --plan: print one JSON line per row and task, with the paper's figures")
    .action(run);
}

async function run(name: string, flags: Flags): Promise<void> {
  const { packageRecipes } = await import('../../../studies/recipes/node/package-recipes.ts');
  const { budgets, recipes, tables } = packageRecipes();
  const table = tableNamed(name, tables);
  const { model, data, output = join('runs', name), tune = false } = flags;
  const unlessEmpty = (list: readonly string[]) => (list.length > 0 ? list : undefined);
  const { tableCells } = await import('../../../studies/experiments/tables/table-cells.ts');
  const missing = new Set<string>();
  const all = tableCells(table, recipes, budgets, {
    data,
    inPlace: model === undefined ? undefined : await inPlace(model, table, flags),
    tasks: unlessEmpty(flags.task),
    methods: unlessEmpty(flags.method),
    budgets: unlessEmpty(flags.budget),
    tunes: tune,
    settings: await settingsOf(flags.set),
    onMissing: (message) => {
      if (!missing.has(message)) console.error(message);
      missing.add(message);
    },
  });
  const isPlanOfAll = flags.plan && flags.json;
  const cells = isPlanOfAll ? all : withData(all, data, flags.plan);
  const { comparedCell } = await import('../../../studies/experiments/tables/table-cells.ts');
  const { runExperimentHere } = await import('../run-experiment.ts');
  const changes = flags.set.length > 0 ? [`Set for every row: ${flags.set.join(', ')}.`] : [];
  const experiment = {
    ...{ title: table.title, output, folder: output, cells, average: table.average },
    seeds: Array.from({ length: flags.seeds }, (_, seed) => seed),
    tuning: { heldOut: 0.1, seed: 0, halving: [] },
    comparedWith: (cell: { row: string; task: string }) => comparedCell(cells, cell, table.compared_with),
  };
  const paper = Object.fromEntries(
    table.rows.flatMap(({ row, average }) => (average === undefined ? [] : [[row, average]])),
  );
  const isPapers = cells.every((cell) => cell.paper) && cells.length === all.length;
  await runExperimentHere(experiment, flags, {
    about: () => changes,
    ...(isPapers && { paperAverages: paper }),
  });
}

async function inPlace(model: string, { tasks }: PaperTable, { task }: Flags) {
  const { packageRecipes, recipeNamed } = await import('../../../studies/recipes/node/package-recipes.ts');
  const { modelInPlace } = await import('../../../studies/experiments/node/describe-in-place.ts');
  return modelInPlace(model, recipeNamed(task[0] ?? tasks[0]!, packageRecipes().recipes));
}

/** Selects the cells whose data files exist. For a plan without any data files, selects all cells. */
function withData(cells: readonly TableCell[], data: string, isPlan = false): TableCell[] {
  const absent = ({ config }: TableCell) => {
    const { train, validation } = config.data as {
      train: string;
      validation: string | Record<string, string>;
    };
    const files = [train, ...(typeof validation === 'string' ? [validation] : Object.values(validation))];
    return files.filter((file) => !existsSync(file));
  };
  const there = cells.filter((cell) => absent(cell).length === 0);
  for (const task of new Set(cells.filter((cell) => !there.includes(cell)).map(({ task }) => task))) {
    const files = absent(cells.find((cell) => cell.task === task) as TableCell);
    console.error(`Skipping ${task}: ${files.join(', ')} is missing.`);
  }
  if (there.length > 0) return there;
  if (isPlan) return [...cells];
  throw new UserError({
    where: data,
    fault: 'contains no data set for these rows',
    hint: 'Pass its folder in --data.',
  });
}

function tableNamed(name: string, tables: readonly PaperTable[]): PaperTable {
  const match = tables.find((table) => table.name === name || table.also === name);
  if (match) return match;
  const known = tables.flatMap(({ name, also }) => [name, ...(also ? [also] : [])]);
  throw new UserError(`There is no table "${name}". ${suggest(name, known)}`);
}

async function settingsOf(settings: readonly string[]): Promise<Settings> {
  const { Document } = await import('yaml');
  const { applySetting } = await import('../apply-setting.ts');
  const document = new Document({});
  const paths = settings.map((setting) => applySetting(document, setting));
  const { valueAt } = await import('../../../support/user-error.ts');
  return Object.fromEntries(paths.map((path) => [path.join('.'), valueAt(document.toJS(), path)]));
}

function countFrom1(value: string): number {
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Use a whole number from 1.');
}
