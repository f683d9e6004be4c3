import type { FolderFiles } from '../../input/formats/files.ts';
import { defaultTargets } from '../../methods/tuners/targets/adapted-modules.ts';
import { matchTargets } from '../../methods/tuners/targets/match-targets.ts';
import { type KeyPath, UserError } from '../../support/user-error.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { buildModel } from '../../use/trained/read-model.ts';
import type { RunMachine } from '../jobs/machine.ts';
import { packageRecipes } from '../recipes/package-recipes.ts';
import { type Recipe, recipeNamed } from '../recipes/recipe.ts';
import { comparison } from './comparison.ts';
import { comparisonFile } from './comparison-file.ts';
import type { Cell, Experiment } from './experiment.ts';
import type { ModelInPlace } from './recipe-rows.ts';
import type { Config } from './settings.ts';

/** Placeholder labels. Their number does not affect the adapted matrices. */
const LABELS = ['no', 'yes'];

/**
 * Parses a comparison's file, as {@link comparison} does. If its tasks are recipes, reads them, and describes the model
 * that the file names instead of theirs.
 *
 * @param recipeFiles the package's recipes
 * @param onNotice called with a message for each row that is left out
 */
export async function openComparison(
  machine: Pick<RunMachine, 'model'>,
  recipeFiles: FolderFiles,
  file: Config,
  where: (path: KeyPath) => string,
  onNotice: (message: string) => void,
): Promise<Experiment> {
  const { tasks } = comparisonFile(file, where);
  const first = Object.values(tasks).find(({ recipe }) => recipe !== undefined)?.recipe;
  if (first === undefined) return comparison(file, where);
  const { recipes, budgets } = packageRecipes(recipeFiles);
  const recipe = recipeNamed(first, recipes, where(['tasks']));
  const inPlace =
    typeof file.model === 'string' ? await describeModel(machine, file.model, recipe) : undefined;
  const known = new Set<string>();
  return comparison(file, where, {
    recipes,
    budgets,
    inPlace,
    onNotice: (message) => {
      if (!known.has(message)) onNotice(message);
      known.add(message);
    },
  });
}

/**
 * Describes a model that is used instead of the recipe's: its family, and the matrices that AdaLoRA adapts.
 *
 * @throws UserError for a model that is not available, or lacks the head that the recipe's task needs
 */
async function describeModel(
  machine: Pick<RunMachine, 'model'>,
  model: string,
  { task }: Recipe,
): Promise<ModelInPlace> {
  const described = await machine.model(model);
  const { definition, linears, head } = buildModel(taskNamed(task).build(LABELS), described);
  const targets = defaultTargets({ definition, linears }, 'many');
  const paths = linears.map(({ path }) => path);
  const matched = matchTargets(paths, { target_modules: [...targets], modules_to_save: head.modules });
  return { model, modelType: definition.modelType, targets, matrices: matched.length };
}

/**
 * Leaves out the tasks of recipes whose data files are missing: a table runs on the data that is present.
 *
 * @param onNotice called with a message for each task that is left out
 * @throws UserError if no task is left
 */
export function withData(
  machine: Pick<RunMachine, 'has'>,
  experiment: Experiment,
  file: Config,
  onNotice: (message: string) => void,
): Experiment {
  const { cells } = experiment;
  const there = cells.filter((cell) => !cell.isOfRecipe || missingFiles(machine, cell).length === 0);
  if (there.length === cells.length) return experiment;
  for (const task of new Set(cells.filter((cell) => !there.includes(cell)).map(({ task }) => task))) {
    const files = missingFiles(machine, cells.find((cell) => cell.task === task) as Cell);
    onNotice(`Skipping ${task}: ${files.join(', ')} is missing.`);
  }
  if (there.length === 0)
    throw new UserError({
      where: `${file.data_folder ?? 'data'}`,
      fault: 'contains no dataset for these rows',
      hint: 'Name its folder with --set data_folder=FOLDER.',
    });
  const { paperAverages: _, ...rest } = experiment;
  return { ...rest, cells: there };
}

/** The data files of a recipe that do not exist. */
function missingFiles({ has }: Pick<RunMachine, 'has'>, { config }: Cell): string[] {
  const { dataset, train, validation } = Object(config.data) as Config;
  if (dataset !== undefined) return [];
  const files = [train, typeof validation === 'object' ? Object.values(validation ?? {}) : validation].flat();
  return files.filter((file): file is string => typeof file === 'string' && !has(file));
}
