import type { FolderFiles } from '../../../input/formats/files.ts';
import type { CalledThread } from '../../../support/calls/caller.ts';
import { assertOptions, TEXT } from '../../../support/options.ts';
import { shown, UserError } from '../../../support/user-error.ts';
import { definingModules } from '../../../tasks/define-task.ts';
import type { AnyTaskName, UsualTask } from '../../../tasks/prediction-types.ts';
import { OPEN_OPTIONS, type OpenOptions } from '../model-options.ts';
import { MODEL_METHODS, type ModelInThread, modelInThread } from './model-in-thread.ts';
import type { ModelService } from './model-service.ts';

/** Options of `open`. */
export interface ThreadOptions<Task extends AnyTaskName = UsualTask> extends OpenOptions {
  /** The task that the model must have. The types of its inputs and answers follow from it. */
  task?: Task | undefined;
}

/** The config of a finished run. */
export interface FinishedRun<Task extends AnyTaskName = UsualTask> {
  output: string;
  task?: Task | undefined;
}

/** The means of a machine to open models in threads. */
interface ThreadMachine {
  /** Starts the thread of a model. It answers {@link MODEL_METHODS}. */
  start(): CalledThread;
  disk: FolderFiles;
  /** Prints a warning. */
  warn(message: string): void;
}

/**
 * Opens a trained model in its own thread: the folder of a run, an adapter (of any method here, of PEFT or AdapterHub)
 * or a model, or any of them on the Hub by its id. Close it after use.
 *
 * @param what the path or the id; or the config of a finished run
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function openModelInThread<Task extends AnyTaskName>(
  what: string | FinishedRun<Task>,
  given: ThreadOptions<Task>,
  platform: ThreadMachine,
): Promise<ModelInThread<Task>> {
  assertOptions('open', given, { ...OPEN_OPTIONS, task: TEXT });
  const { task, onProgress, onNotice = platform.warn, ...options } = given;
  const wanted = task ?? (typeof what === 'string' ? undefined : Object(what).task);
  const model = await started<Task>(what, { ...options, onProgress, onNotice }, platform);
  if (wanted === undefined || model.task === wanted) return model;
  await model.close();
  const path = typeof what === 'string' ? what : what.output;
  throw new UserError({ where: path, fault: `is a model for ${model.task}, not for ${wanted}` });
}

async function started<Task extends AnyTaskName>(
  what: string | FinishedRun<Task>,
  options: OpenOptions,
  platform: ThreadMachine,
): Promise<ModelInThread<Task>> {
  const path = typeof what === 'string' ? what : runFolder(what);
  // The folder of a config cannot be a Hub id.
  const { disk } = platform;
  if (path !== what && !disk.has(path)) throw disk.missing(path, 'the folder of a run that has finished');
  const thread = platform.start();
  const opening = thread.caller.remote<ModelService>(MODEL_METHODS);
  try {
    return modelInThread(path, await opening.open(path, options, definingModules()), thread);
  } catch (error) {
    void thread.worker.terminate();
    throw error;
  }
}

/** The output folder of a run's config. */
function runFolder(config: unknown): string {
  const { output } = Object(config) as { output?: unknown };
  if (typeof output === 'string') return output;
  throw new UserError({
    where: 'open',
    fault: `needs a path, an id on the Hub, or a config with the key \`output\`, got ${shown(config)}`,
  });
}
