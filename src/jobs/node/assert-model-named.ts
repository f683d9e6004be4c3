import { EMBEDDED_MODEL } from '../../hub/embedded-model.ts';
import { UserError } from '../../support/user-error.ts';
import { type TaskName, taskNamed } from '../../tasks/registry.ts';

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
