import type { Engine } from '../../program/engine.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';

/** The base model of all adapters. */
export interface ServedBase {
  /** Opens it with the head and the config of a model, for this many outputs. */
  open(like: TaskModel, outputs: number): Promise<LoadedModel>;
  engine(model: LoadedModel): Engine;
}

/** Opens a session with a model. The model is closed when the session is released, or at once if opening fails. */
export async function closing<Made extends { release(): Promise<void> }>(
  model: LoadedModel,
  open: () => Promise<Made>,
): Promise<Made> {
  const made = await open().catch((error: unknown) => {
    model.close();
    throw error;
  });
  const release = made.release.bind(made);
  made.release = () => release().finally(() => model.close());
  return made;
}
