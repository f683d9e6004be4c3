import { EMBEDDED_MODEL, parseModelId } from '../../input/hub/model-id.ts';
import { methodNamed } from '../../methods/tuners/registry.ts';
import { type Mistakes, UserError } from '../../support/user-error.ts';
import { trainingFiles, validationFiles } from '../../tasks/data-files.ts';
import { type TaskName, taskNamed } from '../../tasks/registry.ts';
import type { SoundConfig } from '../../training/run/config/run-config.ts';
import { buildModel, type Described, readModel } from '../../use/trained/read-model.ts';
import type { RunMachine } from './machine.ts';

/** Stands for an unknown number of steps: larger than any setting. */
const ENDLESS = 1e9;

/**
 * Records the errors in everything that a config names, and in settings that depend on it.
 *
 * @param inMemory names of files that need not exist
 */
export async function lookAtAll(
  parts: SoundConfig,
  here: RunMachine,
  inMemory: readonly string[],
  mistakes: Mistakes,
): Promise<void> {
  // Models that would be downloaded are not checked.
  const isHere = (name: string) => here.has(name) || name === EMBEDDED_MODEL || parseModelId(name) === null;
  const { model = EMBEDDED_MODEL, model_config, task, data, files = data, adapter } = parts;
  if (adapter !== undefined && isHere(adapter)) await mistakes.of(() => here.adapter(adapter));
  const described = isHere(model) && (await mistakes.of(() => here.model(model, { changes: model_config })));
  if (described) {
    await mistakes.of(async () => (await readModel(described)).modality(described.family.config));
    await mistakes.of(() => {
      if (task) assertModelNamed(model, task);
      startOn(described, parts);
    });
  }
  if (!files || files.dataset !== undefined) return;
  const takesFolders = task !== undefined && taskNamed(task).files.takesFolders;
  const named = [
    ...trainingFiles(files).map((path) => ({ path, key: 'data.train' })),
    ...validationFiles(files.validation).map(({ path }) => ({ path, key: 'data.validation' })),
  ];
  for (const { path, key } of named.filter(({ path }) => path !== '' && !inMemory.includes(path)))
    await mistakes.of(async () => {
      const found = await here.data({}, path, { takesFolders, key });
      if (task && data) taskNamed(task).files.read(found, data);
    });
}

/**
 * Throws an error for settings that do not fit the model or the run's number of steps. Does not check the
 * number of classes.
 */
function startOn(
  described: Described,
  { task, method, settings, adapter, max_steps = -1 }: SoundConfig,
): void {
  if (!task || !method || !settings || adapter !== undefined) return;
  const model = buildModel(taskNamed(task).build(['0', '1']), described);
  methodNamed(method).start(model, settings as never, max_steps > 0 ? max_steps : ENDLESS);
}

/** Throws a UserError if the model is the default one, and the task cannot use it. */
export function assertModelNamed(model: string, task: TaskName): void {
  const { modelToTry } = taskNamed(task).training;
  if (model !== EMBEDDED_MODEL || modelToTry === undefined) return;
  throw new UserError({
    key: 'model',
    fault: `is required for task ${task}, because the built-in encoder cannot generate text`,
    hint: `Set model to a folder or a Hub id, for example ${modelToTry}.`,
  });
}
