import type { TaskModel } from '../../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { assertOptions, FUNCTION } from '../../../support/options.ts';
import type { AnyTaskName, UsualTask } from '../../../tasks/prediction-types.ts';
import type { RunConfigInput } from '../../../training/run/config/run-config.ts';
import type { FinishEvent } from '../../../training/run/events.ts';
import type { Build } from '../../../use/trained/bind-model.ts';
import type { ModelConfig } from '../../../use/trained/model-config.ts';
import { openInThread } from '../../../use/trained/node/open-in-thread.ts';
import type { ModelInThread } from '../../../use/trained/thread/model-in-thread.ts';
import type { FinishedRun, ThreadOptions } from '../../../use/trained/thread/open-in-thread.ts';
import type { OnDownload } from '../machine.ts';
import type { Plan } from '../plan/plan.ts';
import type { TrainOptions } from './train.ts';

/*
 * Functions of the package's main entry. Each loads its code when it is called: a program that only predicts needs none
 * of the code for training.
 */

/**
 * Opens a trained model to predict, embed, generate, evaluate, merge or export. It computes in its own thread, so that
 * your event loop stays free. Close it after use, or declare it with `await using`.
 *
 * @param what the folder of a run, a checkpoint, an adapter of PEFT or AdapterHub, or a model; its id on the Hub; or the
 * config of a finished run
 * @param options with `task`, the model must have this task, and inputs and answers have its types
 * @returns the model, which you close after use
 * @throws UserError for anything missing, damaged or incompatible
 * @example
 * ```ts
 * import { open } from 'adalora';
 *
 * await using model = await open('runs/reviews');
 * const { label } = await model.predict('The cat sat on the mat.');
 * ```
 */
export async function openTrained<Task extends AnyTaskName = UsualTask>(
  what: string | FinishedRun<Task>,
  options?: ThreadOptions<Task>,
): Promise<ModelInThread<Task>> {
  if (typeof what !== 'string' || !what.endsWith('.safetensors')) return openInThread(what, options);
  const { trainedAt } = await import('../checkpoint-adapter.ts');
  const { THIS_NODE } = await import('./machine.ts');
  return openInThread(await trainedAt(THIS_NODE, what), options);
}

/**
 * Fine-tunes a model according to a config and writes the run's folder. The data may be rows in memory. The
 * run has its own thread, because the engine computes without yielding, so the caller's event loop stays
 * free. Processes started by mpirun, mpiexec or srun share the run. Every process calls this function, and
 * each batch contains rows for all processes. Only process 0 reports events and writes files.
 *
 * @param config the keys of a config file; `data.train` may be rows instead of a path
 * @param options `onEvent`, `onStepEnd`, `signal`, `resume` and others; by default, a new run without callbacks
 * @returns the last event of the run: its scores and their verdict
 * @throws UserError for every error in config, data or model
 * @throws any error of `onEvent` or `onStepEnd`, after writing a checkpoint
 * @throws any error of your `metrics`, and a UserError that names your score, schedule or loss, without a new
 * checkpoint: resume from the previous one
 * @example
 * ```ts
 * import { train } from 'adalora';
 *
 * const data = { train: 'reviews.csv', text: 'text', label: 'label' };
 * const { metrics, verdict } = await train({ data, output: 'runs/reviews' });
 * console.log(metrics.eval_accuracy, verdict?.learnt);
 * ```
 */
export async function train(config: RunConfigInput, options?: TrainOptions): Promise<FinishEvent> {
  const { train } = await import('./train.ts');
  return train(config, options);
}

interface PlanOptions {
  /** Called while files are downloaded from the Hub. */
  onDownload?: OnDownload;
}

/**
 * Plans a run: what it trains and what it costs. Reads config.json, the files for inputs and the data, but no
 * weights.
 *
 * @param config the config of the run; its data may be rows in memory
 * @param options by default, a download of the model is not reported
 * @returns the steps, parameters, ranks and memory of the run
 * @throws UserError like the run
 * @example
 * ```ts
 * import { plan } from 'adalora';
 *
 * const data = { train: 'reviews.csv', text: 'text', label: 'label' };
 * const { steps, trainableParameters } = await plan({ data, output: 'runs/reviews' });
 * ```
 */
export async function plan(config: RunConfigInput, options: PlanOptions = {}): Promise<Plan> {
  assertOptions('plan', options, { onDownload: FUNCTION });
  const { THIS_NODE } = await import('./machine.ts');
  const { askedRun } = await import('../rows-in-memory.ts');
  const { planAsked } = await import('../plan/plan.ts');
  return planAsked(THIS_NODE, await askedRun(config), options);
}

/** Opens a model folder's checkpoint and checks every tensor against the model. No weight is read yet. */
export async function openModel<Model extends TaskModel>(
  folder: string,
  build: Build<Model>,
  changes?: ModelConfig,
): Promise<LoadedModel<Model>> {
  const { openModel } = await import('../../../use/trained/node/load-model.ts');
  return openModel(folder, build, changes);
}

/** A config of a task. */
export type ConfigOf<Task extends AnyTaskName = UsualTask> = RunConfigInput & { task?: Task | undefined };

/**
 * Returns a config unchanged. With this function, editors complete and explain the keys, and mark errors. A model that is
 * opened by the config has the types of its task.
 *
 * @example export default defineConfig({ data: { train: 'train.tsv', text: 'text', label: 'label' }, output:
 * 'runs/a' })
 */
export function defineConfig<const Task extends AnyTaskName = UsualTask>(
  config: ConfigOf<Task>,
): ConfigOf<Task> {
  return config;
}
